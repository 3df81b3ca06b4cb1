"""The command, as a person or a script runs it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from tests.command import call, complaints, start
from tests.waiting import FUSE


def test_help_shows_an_example() -> None:
    for command in ("run", "check"):
        result = call(command, "--help")
        assert result.exit_code == 0
        assert f"stylebatch {command} manifests/demo.yaml" in result.stdout
    assert "check" in call("--help").stdout
    assert call("--version").stdout.startswith("stylebatch ")


@pytest.mark.usefixtures("restored_process")
def test_check_lists_bad_rows(tmp_path: Path, samples: Path) -> None:
    good = start("check", samples / "demo.yaml")
    stdout, stderr = good.communicate(timeout=FUSE)
    assert (good.returncode, stderr) == (0, "")
    assert "9 rows: 9 good, 0 bad" in stdout
    path = tmp_path / "bad.csv"
    path.write_text(f"content,style,size\nnowhere.jpg,{samples}/styles/glass.jpg,7\n")
    bad = call("check", path)
    assert bad.exit_code == 2
    assert "nowhere.jpg" in bad.stdout
    listed = json.loads(call("check", path, "--json").stdout)
    assert [(problem["row"], problem["column"]) for problem in listed["problems"]] == [(1, "size"), (1, "content")]


@pytest.mark.usefixtures("restored_process")
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
    result = call("run", *arguments, "--out", tmp_path / "out")
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_fresh_machine_needs_no_server(manifest: Path, tmp_path: Path, workplace: Path) -> None:
    """With Prefect's temporary server: nothing on the screen but the summary, and everything in its place."""
    first = start("run", manifest, "--out", tmp_path / "out", folder=workplace)
    stdout, stderr = first.communicate(timeout=FUSE)
    assert (first.returncode, complaints(stderr)) == (0, [])
    assert [line.split() for line in stdout.splitlines()[:3]] == [
        ["completed", "2"],
        ["cached", "0"],
        ["failed", "0"],
    ]
    assert "slowest: " in stdout
    assert str(tmp_path / "out/report.parquet") in stdout


@pytest.mark.usefixtures("prefect", "restored_process")
def test_output_for_scripts(manifest: Path, tmp_path: Path) -> None:
    quiet = call("run", manifest, "--out", tmp_path / "out", "--quiet")
    assert (quiet.stdout, quiet.stderr, quiet.exit_code) == ("", "", 0)
    as_json = call("run", manifest, "--out", tmp_path / "out", "--json")
    assert json.loads(as_json.stdout) == {
        "completed": 0,
        "cached": 2,
        "failed": 0,
        "content_lost": 0,
        "left": 0,
        "out": str(tmp_path / "out"),
        "failures": [],
    }


@pytest.mark.slow
def test_a_failed_row_is_exit_code_1_and_v_shows_the_log(manifest: Path, tmp_path: Path, prefect_server: str) -> None:
    manifest.write_text(manifest.read_text() + "pairs: [{content: nowhere.jpg, style: nowhere.jpg}]\n")
    process = start("run", manifest, "--out", tmp_path / "out", "-v", server=prefect_server)
    stdout, stderr = process.communicate(timeout=FUSE)
    assert process.returncode == 1
    assert "row 1 row-1: content: there is no file" in stdout
    assert "Flow run" in stderr


@pytest.mark.usefixtures("prefect", "restored_process")
def test_fail_fast_stops_at_the_first_failure(tmp_path: Path, samples: Path) -> None:
    manifest = tmp_path / "rows.csv"
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    manifest.write_text(f"content,style,size,steps\nnowhere.jpg,{style},64,1\n{content},{style},64,1\n")
    result = call("run", manifest, "--out", tmp_path / "out", "--fail-fast")
    assert result.exit_code == 1
    assert "stopped after 1 failures, the last of them above; 1 rows are left" in result.stdout
    assert not list((tmp_path / "out/images").iterdir())
    on_disk = call("status", tmp_path / "out")
    assert "2 rows: 0 completed, 0 cached, 1 failed, 1 to do" in on_disk.stdout
    assert "there is no file '…'" in on_disk.stdout
    assert f"stylebatch reprocess {tmp_path / 'out'} --failed" in on_disk.stdout
    planned = call("reprocess", tmp_path / "out", "--dry-run")
    assert (planned.exit_code, planned.stderr) == (0, "")
    assert [line.split("  ")[:2] for line in planned.stdout.splitlines()] == [
        ["1", "not done yet"],
        ["1", "bad input, to be put right first"],
    ]
    refused = call("reprocess", tmp_path / "out", "--where", "stile == 3", "--dry-run")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "the report has no column 'stile'; did you mean 'style'?" in refused.stderr
    again = call("reprocess", tmp_path / "out", "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["completed"] == 1


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "restored_process")
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_a_signal_ends_a_run_and_keeps_what_is_done(
    number: signal.Signals, times: int, tmp_path: Path, samples: Path, prefect_server: str
) -> None:
    """To the group of processes, as from a terminal; and twice, as `timeout` sends it."""
    out = tmp_path / "out"
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    manifest = tmp_path / "rows.csv"
    manifest.write_text(
        f"id,content,style,size,steps\nquick,{content},{style},64,1\nendless,{style},{content},64,100000\n"
    )
    # A slot for each, or the one without an end might have the only one first.
    process = start("run", manifest, "--out", out, "--log-json", "--devices", "2×cpu", server=prefect_server)
    try:
        assert process.stderr
        # Not its picture, which is there a moment before it counts as done.
        assert any('"id": "quick"' in line for line in process.stderr), "it has ended before a row was done"
        for _ in range(times):
            os.killpg(process.pid, number)
        stdout, stderr = process.communicate(timeout=FUSE)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "the same command goes on" in stderr
    assert "Traceback" not in stdout + stderr
    report = pd.read_parquet(out / "report.parquet")
    assert list(report["status"]) == ["completed"]
    status = call("status", out).stdout
    assert "out: stopped, " in status
    assert "2 rows: 1 completed, 0 cached, 0 failed, 1 to do" in status
    again = call("run", manifest, "--out", out, "--json", "--set", "steps=1")
    assert json.loads(again.stdout) | {"out": ""} == {
        "completed": 1, "cached": 1, "failed": 0, "content_lost": 0, "left": 0, "out": "", "failures": [],
    }  # fmt: skip
