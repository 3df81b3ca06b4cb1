"""What a run has before it: what is done, and time and room by the pixels and steps that are left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from stylebatch.tasks.again import outlook as module
from stylebatch.tasks.again.outlook import look_ahead
from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.plan import batches
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import read_manifest
from tests.command import call


def test_time_follows_from_pixels_and_steps(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of 64 x 43 takes 2 s and 1 s a step here; one of 128 x 86 four times as long."""
    tried: list[Job] = []

    def try_(job: Job, steps: int, slot: Slot) -> float:
        tried.append(job)
        return (job.settings.longer_side((0, 0)) / 64) ** 2 * (2.0 + steps)

    monkeypatch.setattr(module, "_try", try_)
    (row,) = manifest.read_text().split("contents: [")[1].split(",")[:1]
    style = manifest.read_text().split("styles: [")[1].split("]")[0]
    path = tmp_path / "rows.csv"
    path.write_text(f"content,style,size,steps\n{row},{style},64,10\n{row},{style},128,10\n{row},{style},64,10\n")
    asked = read_manifest(path)
    pairs, _ = check_rows(asked, {})
    found = look_ahead(asked, pairs, tmp_path / "out", make_slots("2×cpu"))
    assert (found.done, found.to_do) == (0, 3)
    assert len({job.key for job in tried}) == 1, "one picture of a kind"
    assert found.seconds == pytest.approx((12 + 4 * 12) / 2, rel=0.01)  # the third row asks for the first one's picture
    assert found.needed == 3 * (64 * 43 + 128 * 85)
    assert found.free
    assert found.uncertainty == module.LEAST_UNCERTAINTY
    assert not (tmp_path / "out").exists()


def test_many_that_are_painted_are_timed_with_the_slots_that_they_will_have(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Slot] = []

    def try_(job: Job, steps: int, slot: Slot) -> float:
        tried.append(slot)
        return 1.0

    monkeypatch.setattr(module, "_try", try_)
    monkeypatch.setattr(batches, "MANY", 1)
    cores = torch.get_num_threads()
    pair = f"{samples}/images/coffee.jpg,{samples}/styles/glass.jpg"
    path = tmp_path / "rows.csv"
    path.write_text("content,style,size,engine\n" + "".join(f"{pair},{64 + n},feedforward\n" for n in range(cores)))
    asked = read_manifest(path)
    pairs, _ = check_rows(asked, {})
    look_ahead(asked, pairs, tmp_path / "out", [Slot("cpu")], is_free=True)
    assert set(tried) == {make_slots(f"{cores}×cpu")[0]}
    tried.clear()
    look_ahead(asked, pairs, tmp_path / "out", [Slot("cpu")])
    assert set(tried) == {Slot("cpu")}


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "restored_process")
def test_the_first_rows_are_done_before_the_others(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = call("run", manifest, "--out", out, "--first", "1", "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout) | {"out": ""} == {
        "completed": 1, "cached": 0, "failed": 0, "content_lost": 0, "left": 0, "out": "", "failures": [],
    }  # fmt: skip
    checked = call("check", manifest, "--out", out, "--time")
    assert checked.exit_code == 0, checked.output
    assert "1 rows are done, 1 to do" in checked.stdout
    assert "MB are free" in checked.stdout
    again = call("run", manifest, "--out", out, "--first", "1", "--json")
    assert json.loads(again.stdout)["cached"] == 1
    whole = json.loads(call("run", manifest, "--out", out, "--json").stdout)
    assert (whole["completed"], whole["cached"]) == (1, 1)
