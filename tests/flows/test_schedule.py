"""A manifest on a schedule, with a real Prefect server and its real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

COMMAND = str(Path(sys.executable).parent / "stylebatch")


def statuses(out: Path) -> list[str]:
    report = out / "report.parquet"
    return sorted(pd.read_parquet(report)["status"]) if report.exists() else []


def wait_for(out: Path, expected: list[str], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 100
    while statuses(out) != expected:
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline, (statuses(out), expected)
        time.sleep(0.2)


def test_a_served_manifest_stylizes_what_is_new(
    tmp_path: Path, samples: Path, prefect_server: str, workplace: Path
) -> None:
    folder, out = tmp_path / "photographs", tmp_path / "out"
    folder.mkdir()
    shutil.copy(samples / "images/chelsea.jpg", folder)
    manifest = tmp_path / "rows.yaml"
    styles = f"styles: {samples}/styles/glass.jpg\n"
    manifest.write_text(f"defaults: {{size: 64, steps: 1}}\ncontents: photographs/*.jpg\n{styles}")
    process = subprocess.Popen(
        [COMMAND, "serve", str(manifest), "--interval", "3", "--out", str(out)],
        cwd=workplace,
        env=os.environ | {"PREFECT_API_URL": prefect_server, "PREFECT_RUNNER_POLL_FREQUENCY": "2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(out, ["completed"], process)
        wait_for(out, ["cached"], process)
        shutil.copy(samples / "images/coffee.jpg", folder)
        wait_for(out, ["cached", "completed"], process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
        process.wait(timeout=20)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the runs that it has started
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "server", "message"),
    [
        ([], "http://127.0.0.1:9/api", "either --cron"),
        (["--cron", "0 3 * * *", "--interval", "9"], "http://127.0.0.1:9/api", "either --cron"),
        (["--cron", "0 3 * * *"], "", "a schedule needs a Prefect server"),
        (["--cron", "at three"], "http://127.0.0.1:9/api", "--cron at three: "),
        (["--cron", "0 3 * * *"], "http://127.0.0.1:9/api", "no Prefect server answers at http://127.0.0.1:9/api"),
    ],
)
def test_an_impossible_schedule_is_refused(arguments: list[str], server: str, message: str, samples: Path) -> None:
    result = subprocess.run(
        [COMMAND, "serve", str(samples / "demo.yaml"), *arguments],
        env=os.environ | ({"PREFECT_API_URL": server} if server else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
