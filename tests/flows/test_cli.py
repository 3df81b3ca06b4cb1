"""The command, as a person or a script runs it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

COMMAND = [str(Path(sys.executable).parent / "stylebatch")]


def run(
    *arguments: object, server: str = "", timeout: float = 120, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(server),
        cwd=folder,
        check=False,
    )


def environment(server: str) -> dict[str, str]:
    """That of a user: with a Prefect server of their own, or with none."""
    user = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_LOGGING")}
    return user | ({"PREFECT_API_URL": server} if server else {})


def test_help_shows_an_example() -> None:
    for command in ("run", "check"):
        result = run(command, "--help")
        assert result.returncode == 0
        assert f"stylebatch {command} manifests/demo.yaml" in result.stdout
    assert "check" in run("--help").stdout
    assert run("--version").stdout.startswith("stylebatch ")


def test_check_lists_bad_rows(tmp_path: Path, samples: Path) -> None:
    good = run("check", samples / "demo.yaml")
    assert (good.returncode, good.stderr) == (0, "")
    assert "9 rows: 9 good, 0 bad" in good.stdout
    path = tmp_path / "bad.csv"
    path.write_text(f"content,style,size\nnowhere.jpg,{samples}/styles/glass.jpg,7\n")
    bad = run("check", path)
    assert bad.returncode == 2
    assert "nowhere.jpg" in bad.stdout
    listed = json.loads(run("check", path, "--json").stdout)
    assert [(problem["row"], problem["column"]) for problem in listed["problems"]] == [(1, "size"), (1, "content")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.yaml"], "there is no manifest nowhere.yaml"),
        (["manifests/demo.yaml", "--set", "stile_weight=3"], "did you mean 'style_weight'?"),
        (["manifests/demo.yaml", "--set", "size=many"], "size: "),
        (["manifests/demo.yaml", "--set", "size"], "write it as name=value"),
        (["manifests/demo.yaml", "--no-such-option"], "--no-such-option"),
    ],
)
def test_an_impossible_request_is_told_in_a_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = run("run", *arguments, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_fresh_machine_needs_no_server(manifest: Path, tmp_path: Path, workplace: Path) -> None:
    """With Prefect's temporary server: nothing on the screen but the summary, and everything in its place."""
    first = run("run", manifest, "--out", tmp_path / "out", timeout=240, folder=workplace)
    assert (first.returncode, first.stderr) == (0, "")
    assert [line.split() for line in first.stdout.splitlines()[:3]] == [
        ["completed", "2"],
        ["cached", "0"],
        ["failed", "0"],
    ]
    assert "slowest: " in first.stdout
    assert str(tmp_path / "out/report.parquet") in first.stdout


def test_output_for_scripts(manifest: Path, tmp_path: Path, prefect_server: str) -> None:
    quiet = run("run", manifest, "--out", tmp_path / "out", "--quiet", server=prefect_server)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    as_json = run("run", manifest, "--out", tmp_path / "out", "--json", server=prefect_server)
    assert json.loads(as_json.stdout) == {
        "completed": 0,
        "cached": 2,
        "failed": 0,
        "content_lost": 0,
        "left": 0,
        "out": str(tmp_path / "out"),
        "failures": [],
    }


def test_a_failed_row_is_exit_code_1_and_v_shows_the_log(manifest: Path, tmp_path: Path, prefect_server: str) -> None:
    manifest.write_text(manifest.read_text() + "pairs: [{content: nowhere.jpg, style: nowhere.jpg}]\n")
    result = run("run", manifest, "--out", tmp_path / "out", "-v", server=prefect_server)
    assert result.returncode == 1
    assert "row 1 row-1: content: there is no file" in result.stdout
    assert "Flow run" in result.stderr


def test_fail_fast_stops_at_the_first_failure(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    manifest = tmp_path / "rows.csv"
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    manifest.write_text(f"content,style,size,steps\nnowhere.jpg,{style},64,1\n{content},{style},64,1\n")
    result = run("run", manifest, "--out", tmp_path / "out", "--fail-fast", server=prefect_server)
    assert result.returncode == 1
    assert "stopped after 1 failures, the last of them above; 1 rows are left" in result.stdout
    assert not list((tmp_path / "out/images").iterdir())
    on_disk = run("status", tmp_path / "out")
    assert "2 rows: 0 completed, 0 cached, 1 failed, 1 to do" in on_disk.stdout
    assert "there is no file '…'" in on_disk.stdout
    assert f"stylebatch reprocess {tmp_path / 'out'} --failed" in on_disk.stdout
    planned = run("reprocess", tmp_path / "out", "--dry-run")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert [line.split("  ")[:2] for line in planned.stdout.splitlines()] == [
        ["1", "not done yet"],
        ["1", "bad input, to be put right first"],
    ]
    refused = run("reprocess", tmp_path / "out", "--where", "stile == 3", "--dry-run")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "the report has no column 'stile'; did you mean 'style'?" in refused.stderr
    again = run("reprocess", tmp_path / "out", "--json", server=prefect_server)
    assert again.returncode == 1
    assert json.loads(again.stdout)["completed"] == 1


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_a_signal_stops_the_run_and_keeps_what_is_done(
    number: signal.Signals, times: int, tmp_path: Path, samples: Path, prefect_server: str
) -> None:
    """To the group of processes, as from a terminal; and twice, as `timeout` sends it."""
    out = tmp_path / "out"
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    manifest = tmp_path / "rows.csv"
    manifest.write_text(
        f"id,content,style,size,steps\nquick,{content},{style},64,1\nendless,{style},{content},64,100000\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "run", str(manifest), "--out", str(out), "--log-json"],
        env=environment(prefect_server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr
        rows = (line for line in process.stderr if '"event": "row"' in line)
        assert json.loads(next(rows))["id"] == "quick"
        for _ in range(times):
            os.killpg(process.pid, number)
        stdout, stderr = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "the same command goes on" in stderr
    assert "Traceback" not in stdout + stderr
    report = pd.read_parquet(out / "report.parquet")
    assert list(report["status"]) == ["completed"]
    status = run("status", out).stdout
    assert "out: stopped, " in status
    assert "2 rows: 1 completed, 0 cached, 0 failed, 1 to do" in status
    again = run("run", manifest, "--out", out, "--json", "--set", "steps=1", server=prefect_server)
    assert json.loads(again.stdout) | {"out": ""} == {
        "completed": 1, "cached": 1, "failed": 0, "content_lost": 0, "left": 0, "out": "", "failures": [],
    }  # fmt: skip
