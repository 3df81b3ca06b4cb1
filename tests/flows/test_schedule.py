"""A manifest on a schedule, with a real Prefect server and its real processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.command import call
from tests.waiting import FUSE, wait_for

COMMAND = str(Path(sys.executable).parent / "stylebatch")


def statuses(out: Path) -> list[str]:
    report = out / "report.parquet"
    return sorted(pd.read_parquet(report)["status"]) if report.exists() else []


@pytest.mark.slow  # every run of a schedule is a process of its own, which imports all anew
def test_a_served_manifest_stylizes_what_is_new(
    tmp_path: Path, samples: Path, prefect_server: str, workplace: Path
) -> None:
    folder, out = tmp_path / "photographs", tmp_path / "out"
    folder.mkdir()
    shutil.copy(samples / "images/chelsea.jpg", folder)
    manifest = tmp_path / "rows.yaml"
    styles = f"styles: {samples}/styles/glass.jpg\n"
    manifest.write_text(f"defaults: {{size: 64, steps: 1}}\ncontents: photographs/*.jpg\n{styles}")
    printed = tmp_path / "printed"
    process = subprocess.Popen(
        [COMMAND, "serve", str(manifest), "--interval", "3", "--out", str(out)],
        cwd=workplace,
        env=os.environ | {"PREFECT_API_URL": prefect_server, "PREFECT_RUNNER_POLL_FREQUENCY": "2"},
        stdout=printed.open("w"),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: statuses(out) == ["completed"], "the first run is done", process)
        told = "rows: 1 of 1 rows are done (1 completed, 0 cached, 0 failed)"
        wait_for(lambda: told in printed.read_text(), "a line tells of it", process)
        wait_for(lambda: statuses(out) == ["cached"], "another run has found all done", process)
        shutil.copy(samples / "images/coffee.jpg", folder)
        wait_for(lambda: statuses(out) == ["cached", "completed"], "a run has done what is new", process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
        process.wait(timeout=FUSE)
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
        pytest.param(
            ["--cron", "0 3 * * *"],
            "http://127.0.0.1:9/api",
            "no Prefect server answers at http://127.0.0.1:9/api",
            marks=pytest.mark.slow,  # it is asked for some seconds
        ),
    ],
)
@pytest.mark.usefixtures("restored_process")
def test_an_impossible_schedule_is_refused(arguments: list[str], server: str, message: str, samples: Path) -> None:
    with temporary_settings({PREFECT_API_URL: server} if server else {}):
        result = call("serve", samples / "demo.yaml", *arguments)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert message in result.stderr
