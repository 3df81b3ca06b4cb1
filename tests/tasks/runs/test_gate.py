"""What is kept of a row that has a condition, as far as the pictures are there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import BadRow, Pair, check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.gate import Kept, decide, keys_of
from tests.tasks.runs.test_report import make_record

ROW = {"content": "a.png", "style": "a.png", "keep": "structure > 0.6", "next_styles": ["b.png", "c.png"], "size": 64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in zip("abc", ("teal", "red", "grey"), strict=True):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{name}.png")
    return tmp_path


def check(folder: Path, row: dict[str, object]) -> tuple[list[Pair], list[BadRow]]:
    return check_rows(Manifest(folder / "rows.jsonl", [row]), {})


@pytest.fixture
def job(folder: Path) -> Job:
    pairs, _ = check(folder, ROW)
    (job,), _ = make_jobs(Manifest(folder / "rows.jsonl", [ROW]), pairs, Slot("cpu"))
    return job


def records(job: Job, *structures: float) -> dict[str, Record]:
    """What was found of the first jobs of a row."""
    return {
        key: make_record(key=key, structure=structure) for key, structure in zip(keys_of(job), structures, strict=False)
    }


def test_a_row_without_a_condition_keeps_what_there_is(job: Job) -> None:
    plain = replace(job, keep="", others=())
    assert decide(plain, {}) == plain
    found = records(plain, 0.1)
    assert decide(plain, found) == Kept(plain, found[plain.key])


def test_styles_are_tried_in_their_order_until_one_passes(job: Job) -> None:
    assert [one.style_name for one in (job, *job.others)] == ["a.png", "b.png", "c.png"]
    assert len({one.id for one in (job, *job.others)}) == 3
    assert decide(job, {}) == job
    assert decide(job, records(job, 0.2)) == job.others[0]
    found = records(job, 0.2, 0.7, 0.9)
    assert decide(job, found) == Kept(job.others[0], found[job.others[0].key], tries=2, passed=True)
    assert decide(job, records(job, 0.8)) == Kept(job, records(job, 0.8)[job.key], tries=1, passed=True)


def test_the_best_is_kept_where_none_passes(job: Job) -> None:
    found = records(job, 0.2, 0.5, 0.4)
    assert decide(job, found) == Kept(job.others[0], found[job.others[0].key], tries=3, passed=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keep": "stucture > 1"}, "keep: keep: the report has no column 'stucture'; did you mean 'structure'?"),
        ({"keep": None}, "next_styles: are for a picture that does not fulfil the condition in keep; give one"),
        ({"next_styles": ["gone.png"]}, "next_styles: there is no file 'gone.png'"),
        ({"next_styles": [["a.png", ""]]}, "next_styles: the name of a picture is missing"),
        ({"engine": "auto"}, "keep: needs an engine that goes for all styles"),
        ({"engine": "feedforward", "judge": 0.5}, "keep: needs the figures of each picture, and judge leaves some"),
        ({"masks": "a.png", "next_styles": [["a.png", "b.png"]]}, "next_styles: are not 1 each, as the masks are"),
    ],
)
def test_a_wrong_condition_costs_its_row(folder: Path, change: dict[str, object], message: str) -> None:
    pairs, (bad,) = check(folder, ROW | change)
    assert pairs == []
    assert bad.message.startswith(message)
