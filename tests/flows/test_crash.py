"""Real faults: killed processes, two runs at once, a full disk, a folder for reading only, pictures that change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.stylize import stylize
from stylebatch.tasks.progress import Pending, Settled, Watcher, watcher
from stylebatch.tasks.results.store import Store
from tests.command import call, complaints
from tests.waiting import FUSE, wait_for

COMMAND = str(Path(sys.executable).parent / "stylebatch")


def write_manifest(folder: Path, samples: Path, rows: Sequence[tuple[str, int]], size: int = 64) -> Path:
    """Rows of an id and a number of steps; no two have the same key."""
    manifest = folder / "rows.csv"
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    lines = [f"{name},{content},{style},{size},{steps},{seed}" for seed, (name, steps) in enumerate(rows)]
    manifest.write_text("\n".join(["id,content,style,size,steps,seed", *lines]))
    return manifest


def start(server: str, *arguments: object, within: Sequence[object] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*map(str, within), COMMAND, *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": server},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "restored_process")
def test_kill_9_loses_no_finished_pair_and_leaves_nothing_torn(
    tmp_path: Path, samples: Path, prefect_server: str
) -> None:
    out = tmp_path / "out"
    manifest = write_manifest(tmp_path, samples, [("one", 1), ("two", 1), ("endless", 100_000)])
    process = start(prefect_server, "run", manifest, "--out", out)
    try:
        # Both: the second pair is computed while the first one's picture is written, and may be there before it.
        pictures = [out / "images" / name for name in ("one.png", "two.png")]
        wait_for(lambda: all(picture.exists() for picture in pictures), "two pictures are there", process)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    for picture in out.rglob("*.png"):
        Image.open(picture).load()
    before = {file.name: file.stat().st_mtime_ns for file in (out / "images").iterdir()}
    status = call("status", out)
    assert status.exit_code == 0, status.stderr
    assert "crashed" in status.stdout
    assert f"stylebatch reprocess {out}" in status.stdout
    again = call("reprocess", out, "--set", "steps=1", "--json")
    assert again.stderr == ""
    assert json.loads(again.stdout) | {"out": ""} == {
        "completed": 1, "cached": 2, "failed": 0, "content_lost": 0, "left": 0, "out": "", "failures": [],
    }  # fmt: skip
    assert {name: (out / "images" / name).stat().st_mtime_ns for name in before} == before


@pytest.mark.slow
def test_two_runs_into_one_folder_compute_no_pair_twice(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    # Of different steps, so that each is a task of its own.
    names = [f"{index}-{uuid.uuid4().hex}" for index in range(3)]
    manifest = write_manifest(tmp_path, samples, [(name, 30 + index) for index, name in enumerate(names)])
    out = tmp_path / "out"
    both = [start(prefect_server, "run", manifest, "--out", out, "--json") for _ in range(2)]
    for process in both:
        stdout, stderr = process.communicate(timeout=FUSE)
        assert (process.returncode, stderr) == (0, "")
        assert json.loads(stdout)["failed"] == 0
    with temporary_settings({PREFECT_API_URL: prefect_server}), get_client(sync_client=True) as client:
        states = Counter((run.name, run.state_name) for run in client.read_task_runs() if run.name in names)
    assert [states[name, "Completed"] for name in names] == [1, 1, 1], states
    assert len(pd.read_parquet(out / "report.parquet")) == 3


def with_file_system(folder: Path, size: str, then: str) -> list[str]:
    """The beginning of a command whose ``folder`` is a small file system, which ``then`` is done to first.

    It is in a namespace of its own: nobody need be root, and it is gone when the command has ended.
    """
    folder.mkdir()
    mounted = f"mount -t tmpfs -o size={size} tmpfs '{folder}' && {then}"
    left = f"ls -A '{folder}/images'; find '{folder}/.store/records' -name '[0-9a-f]*' -empty 2> /dev/null"
    script = f'{mounted} && {{ "$@"; result=$?; {left}; exit $result; }}'
    begin = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if not shutil.which("unshare") or subprocess.run([*begin[:4], "sh", "-c", mounted], check=False).returncode:
        pytest.skip("this machine lets no user mount a file system")
    return begin


@pytest.mark.slow
def test_a_full_disk_is_told_and_what_is_done_is_kept(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    manifest = write_manifest(tmp_path, samples, [(f"pair-{index}", 1) for index in range(4)], size=256)
    # Room for one picture of 256 px and its record, and not for four.
    within = with_file_system(tmp_path / "out", "250k", "true")
    process = start(prefect_server, "run", manifest, "--out", tmp_path / "out", "--log-json", within=within)
    stdout, stderr = process.communicate(timeout=FUSE)
    assert process.returncode in (1, 2)
    assert "No space left on device" in stdout + stderr
    assert "Traceback" not in stdout + stderr
    assert "unexpected" not in stderr
    assert "pair-0.png" in stdout
    assert "pair-3.png" not in stdout
    assert "records" not in stdout, "one is empty"
    rows = [json.loads(line) for line in stderr.splitlines() if '"event": "row"' in line]
    failed = [row for row in rows if row["status"] == "failed"]
    assert failed
    assert {row["attempts"] for row in failed} == {1}, "a full disk was tried again and again"


@pytest.mark.slow
def test_a_folder_for_reading_only_is_refused_at_once(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    manifest = write_manifest(tmp_path, samples, [("pair", 1)])
    within = with_file_system(tmp_path / "out", "1m", f"mount -o remount,ro '{tmp_path}/out'")
    process = start(prefect_server, "run", manifest, "--out", tmp_path / "out", within=within)
    _, stderr = process.communicate(timeout=FUSE)
    assert process.returncode == 2
    assert f"cannot write to {tmp_path / 'out'}: Read-only file system; choose another with --out" in stderr
    assert "Traceback" not in stderr


class Meddler(Watcher):
    """Changes pictures once the run has read what there is, and before it computes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        Image.new("RGB", (80, 60), "red").save(self._folder / "changes.jpg")
        (self._folder / "vanishes.jpg").unlink()


@pytest.mark.usefixtures("prefect", "alone", "no_grids")
def test_a_picture_that_changes_or_vanishes_during_the_run(tmp_path: Path, samples: Path) -> None:
    names = ("stays", "changes", "vanishes")
    for name, sample in zip(names, ("chelsea", "coffee", "rocket"), strict=True):
        shutil.copy(samples / f"images/{sample}.jpg", tmp_path / f"{name}.jpg")
    rows = [f"{name},{name}.jpg,{samples}/styles/glass.jpg,64,1" for name in names]
    manifest = tmp_path / "rows.csv"
    manifest.write_text("\n".join(["id,content,style,size,steps", *rows]))
    token = watcher.set(Meddler(tmp_path))
    try:
        stays, changes, vanishes = stylize(manifest, tmp_path / "out")
    finally:
        watcher.reset(token)
    assert stays.status == "completed"
    assert changes.error == "changes.jpg was changed while the run was going on; run again"
    assert vanishes.error
    assert "vanishes.jpg" in vanishes.error
    assert str(tmp_path) not in changes.error + vanishes.error
    assert len([file for file in Store(tmp_path / "out").records.iterdir() if len(file.name) == 64]) == 1


@pytest.mark.usefixtures("prefect", "alone", "no_grids")
def test_a_damaged_record_is_made_again_and_told(tmp_path: Path, samples: Path) -> None:
    manifest, out = write_manifest(tmp_path, samples, [("one", 1), ("two", 1)]), tmp_path / "out"
    stylize(manifest, out)
    key = pd.read_parquet(out / "report.parquet")["key"][0]
    record = Store(out).records / key
    record.write_bytes(record.read_bytes()[:100])
    assert [outcome.status for outcome in stylize(manifest, out)] == ["completed", "cached"]
    assert json.loads((out / "run.json").read_text())["damaged"] == ["one"]


@pytest.mark.slow
def test_memory_that_runs_out_costs_the_row_that_takes_it(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    if not shutil.which("prlimit"):
        pytest.skip("there is no prlimit (util-linux) to set a limit with")
    manifest = write_manifest(tmp_path, samples, [("small", 1)])
    large = f"large,{samples}/images/coffee.jpg,{samples}/styles/glass.jpg,1536,1,0"
    manifest.write_text(f"{manifest.read_text()}\n{large}")
    within = ["prlimit", "--data=2500000000"]
    process = start(prefect_server, "run", manifest, "--out", tmp_path / "out", "--set", "scales=1", within=within)
    stdout, stderr = process.communicate(timeout=FUSE)
    assert (process.returncode, complaints(stderr)) == (1, [])
    assert "does not fit into the memory; try " in stdout
    report = pd.read_parquet(tmp_path / "out/report.parquet")
    assert list(report["status"]) == ["completed", "failed"]
    assert list(report["attempts"]) == [1, 2], "once as ever, once with as little memory as can be"
