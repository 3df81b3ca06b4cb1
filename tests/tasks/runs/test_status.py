"""The ledger on disk, and what is read from it: while a run goes on, after its end, and after a crash."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.runs import ledger as module
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.runs.status import read_status


def failure(row: int, content: str, error: str) -> Outcome:
    return Outcome(row, f"row-{row}", content, "style.png", "failed", None, "BadInput", error)


def make_ledger(folder: Path, rows: int) -> Ledger:
    return Ledger(folder, Path("pairs.csv"), rows, {"size": "64"}, ["cpu"])


def test_a_finished_run(tmp_path: Path) -> None:
    with make_ledger(tmp_path, 1) as ledger:
        ledger.add([failure(1, "a.png", "is bad")])
    status = read_status(tmp_path)
    assert (status.state, status.rows, status.remaining) == ("finished", 1, 0)
    assert status.counts == {"completed": 0, "cached": 0, "failed": 1}
    assert status.manifest == Path("pairs.csv").absolute()


def test_a_run_that_is_told_to_stop_leaves_what_it_has(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path, 3)
    ledger.outcomes.append(failure(2, "a.png", "is bad"))
    with pytest.raises(KeyboardInterrupt), ledger:
        raise KeyboardInterrupt
    status = read_status(tmp_path)
    assert (status.state, status.remaining) == ("stopped", 2)


def test_a_run_is_written_at_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = make_ledger(tmp_path, 3)
    ledger.add([failure(1, "a.png", "is bad")])
    assert read_status(tmp_path).state == "running"
    monkeypatch.setattr(module, "INTERVAL", math.inf)
    ledger.add([failure(2, "b.png", "is bad")])
    assert read_status(tmp_path).remaining == 2, "written again at once"
    monkeypatch.setattr(module, "INTERVAL", -1)
    monkeypatch.setattr(module, "TIMES_ITS_COST", 0)
    ledger.add([])
    assert read_status(tmp_path).remaining == 1


def test_writing_takes_no_more_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = make_ledger(tmp_path, 3)
    ledger.add([failure(1, "a.png", "is bad")])
    monkeypatch.setattr(module, "INTERVAL", 0)
    monkeypatch.setattr(module, "TIMES_ITS_COST", 1e9)
    ledger.add([failure(2, "b.png", "is bad")])
    assert read_status(tmp_path).remaining == 2


def test_a_killed_run_is_told_from_one_that_runs(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from stylebatch.tasks.runs.ledger import Ledger; "
        "Ledger(Path(sys.argv[1]), Path('pairs.csv'), 3, {}, ['cpu']).add([]); print('written', flush=True); "
        "sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    try:
        assert read_status(tmp_path).state == "running"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert read_status(tmp_path).state == "crashed"


def test_failures_are_grouped_by_their_cause(tmp_path: Path) -> None:
    with make_ledger(tmp_path, 3) as ledger:
        ledger.add([failure(1, "x/a.png", "there is no file a.png"), failure(2, "size.png", "size is too small")])
        ledger.add([failure(3, "b.png", "there is no file b.png")])
    failures = read_status(tmp_path).failures
    assert failures == {
        "BadInput: there is no file …": ["row-1", "row-3"],
        "BadInput: size is too small": ["row-2"],
    }


def test_failures_of_blends_are_grouped_too(tmp_path: Path) -> None:
    with make_ledger(tmp_path, 2) as ledger:
        for row, style in ((1, "x/a.png:2 | b.png:1"), (2, "b.png | c.png")):
            gone = style.split()[0].split("/")[-1].split(":")[0]
            outcome = failure(row, "content.png", f"there is no file {gone}")
            ledger.add([replace(outcome, style=style)])
    assert read_status(tmp_path).failures == {"BadInput: there is no file …": ["row-1", "row-2"]}


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no run in"):
        read_status(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"rows": 3}))
    with pytest.raises(BadRequest):
        read_status(tmp_path)


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"started_at": 5, "updated_at": 6}'])
def test_a_damaged_run_is_told(tmp_path: Path, damage: str) -> None:
    with make_ledger(tmp_path, 1):
        pass
    (tmp_path / "run.json").write_text(damage)
    with pytest.raises(BadRequest, match="cannot be read"):
        read_status(tmp_path)
