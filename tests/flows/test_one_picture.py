"""One picture from Python: the numbers of a report, from paths and from pictures in memory, and errors with names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from PIL import Image

import stylebatch
from stylebatch.flows import given_pictures, one_picture
from stylebatch.flows.stylize import stylize as run_flow
from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.stylizing import objective
from stylebatch.tasks.stylizing.stylize import Finished, stylize_in_memory

QUICK: dict[str, Any] = {"size": 48, "steps": 3}


@pytest.fixture
def content(samples: Path) -> Path:
    return samples / "images/chelsea.jpg"


@pytest.fixture
def style(samples: Path) -> Path:
    return samples / "styles/swirls.jpg"


def test_picture_and_numbers_are_those_of_a_run(
    manifest: Path, tmp_path: Path, content: Path, style: Path, prefect: None
) -> None:
    run_flow(manifest, tmp_path / "out")
    row = pd.read_parquet(tmp_path / "out/report.parquet").iloc[0]
    made = stylebatch.stylize(content, style, size=64, steps=3)
    for name in ("total_loss", "content_loss", "style_loss", "tv_loss", "optimizer_loss", "steps", "device", "key"):
        assert getattr(made, name) == row[name], name
    assert made.style_loss_by_layer == {
        name.removeprefix("style_loss_"): row[name] for name in row.index if str(name).startswith("style_loss_")
    }
    assert made.settings.model_dump_json() == row["settings"]
    assert made.picture == load_picture(tmp_path / "out" / row["output"])


def test_pictures_in_memory_are_as_good_as_files_and_leave_none(content: Path, style: Path) -> None:
    named = stylebatch.stylize(content, str(style), **QUICK)
    objective.load_style.cache_clear()
    held = stylebatch.stylize(Image.open(content), Image.open(style), **QUICK)
    assert (held.picture, held.total_loss) == (named.picture, named.total_loss)
    assert not [path for path in given_pictures._folder().rglob("*") if path.is_file()]


def test_the_next_call_finds_network_and_style(content: Path, style: Path) -> None:
    picture = Image.open(style)
    stylebatch.stylize(content, picture, **QUICK)
    before = [cached.cache_info().misses for cached in (objective.load_encoder, objective.load_style)]
    stylebatch.stylize(Image.open(content).rotate(90), picture, **QUICK)
    after = [cached.cache_info().misses for cached in (objective.load_encoder, objective.load_style)]
    assert before == after


def test_blends_masks_and_a_start_picture(content: Path, style: Path, samples: Path) -> None:
    glass = Image.open(samples / "styles/glass.jpg")
    alone = stylebatch.stylize(content, style, **QUICK)
    mostly = stylebatch.stylize(content, [(style, 3), glass], **QUICK)
    evenly = stylebatch.stylize(content, [style, glass], **QUICK)
    assert len({alone.key, mostly.key, evenly.key}) == 3
    white, black = Image.new("L", (8, 8), 255), Image.new("L", (8, 8), 0)
    masked = stylebatch.stylize(content, [style, glass], masks=[white, black], **QUICK)
    assert masked.picture != evenly.picture
    started = stylebatch.stylize(content, style, init=glass, **QUICK)
    assert started.picture != alone.picture
    assert stylebatch.stylize(content, style, engine="auto", **QUICK).key == alone.key


def test_progress_is_told_and_may_stop_it(content: Path, style: Path) -> None:
    seen: list[tuple[int, int]] = []
    stylebatch.stylize(content, style, progress=lambda step, steps: seen.append((step, steps)), **QUICK)
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def stop(step: int, steps: int) -> None:
        raise InterruptedError(f"at {step}")

    with pytest.raises(InterruptedError, match="at 1"):
        stylebatch.stylize(content, style, progress=stop, **QUICK)


def test_it_does_not_matter_whether_the_caller_takes_gradients(content: Path, style: Path) -> None:
    plain = stylebatch.stylize(content, style, **QUICK)
    with torch.inference_mode():
        assert stylebatch.stylize(content, style, **QUICK).picture == plain.picture


def test_memory_that_runs_out_is_tried_again_with_less_of_it(
    content: Path, style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []

    def short(job: Job, leases: Leases, frugal: bool) -> Finished:
        tried.append(frugal)
        if not frugal:
            raise MemoryError
        return stylize_in_memory(job, leases, frugal=frugal)

    monkeypatch.setattr(one_picture, "stylize_in_memory", short)
    assert stylebatch.stylize(content, style, **QUICK).steps == 3
    assert tried == [False, True]


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"content": "nowhere.jpg"}, "BadInput", "content: there is no file 'nowhere.jpg' in "),
        ({"content": 3}, "BadInput", "content: is a path or URL, or a picture of Pillow's, not 3"),
        (
            {"content": Image.new("F", (64, 64))},
            "BadInput",
            "content: has numbers of a kind that is not read here (F); convert it to 8 or 16 bits",
        ),
        ({"style": []}, "BadInput", "style: names no picture"),
        ({"style": [("a.jpg", "much")]}, "BadInput", "style: a weight is 'much', which is no number"),
        ({"masks": [Image.new("L", (8, 8))] * 2}, "BadInput", "masks: 2 for 1 in style"),
        ({"init": "nowhere.jpg"}, "BadInput", "init: there is no file 'nowhere.jpg' in "),
        ({"stepps": 3}, "BadRequest", "there is no setting 'stepps'; did you mean 'steps'?"),
        ({"size": 5}, "BadRequest", "size: input should be greater than or equal to 16, not 5"),
        ({"device": "gpu"}, "BadRequest", "write cuda:0, with a number, or auto"),
    ],
)
def test_what_is_wrong_is_told_with_the_arguments_name(
    change: dict[str, Any], error: str, text: str, content: Path, style: Path
) -> None:
    arguments: dict[str, Any] = {"content": content, "style": style, **QUICK, **change}
    with pytest.raises(getattr(stylebatch, error)) as raised:
        stylebatch.stylize(**arguments)
    assert text in str(raised.value)


def test_a_draft_is_painted_in_one_pass_and_one_picture_is_judged_in_any_case(content: Path, style: Path) -> None:
    draft = stylebatch.stylize(content, style, **QUICK, engine="auto", effort="draft", judge=0)
    assert (draft.settings.engine, draft.steps) == ("feedforward", 0)
    assert draft.total_loss > 0
