"""What a training is asked for, and what of it decides the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.training import request as module
from stylebatch.tasks.training.request import ANY_STYLE_STEPS, TUNING_STEPS, File, Request, make_request


def test_one_style_is_tuned_to_and_several_are_learned_from(tuning: Request, learning: Request) -> None:
    assert tuning.is_tuning
    assert tuning.name == tuning.styles[0][0].name
    assert not learning.is_tuning
    assert learning.name == "any style"
    assert tuning.longer_sides == (32, 96)


def test_pictures_that_are_there_twice_count_once(contents: Sequence[File], styles: Sequence[File]) -> None:
    made = make_request([*styles, *styles], [*contents, *contents[::-1]], Settings(), "cpu")
    assert set(made.contents) == set(contents)
    assert set(made.styles) == set(styles)
    assert made.steps == ANY_STYLE_STEPS
    assert make_request(styles[:1], contents, Settings(), "cpu").steps == TUNING_STEPS


def test_what_decides_the_network_decides_the_digest(
    tuning: Request, contents: Sequence[File], styles: Sequence[File]
) -> None:
    others = [
        replace(tuning, styles=styles[1:2]),
        replace(tuning, settings=tuning.settings.model_copy(update={"content_weight": 2.0})),
        replace(tuning, settings=tuning.settings.model_copy(update={"style_scale": 2.0})),
        replace(tuning, start=None),
    ]
    assert len({request.key for request in (tuning, *others)}) == 5
    more = [replace(tuning, contents=contents[:2]), replace(tuning, steps=5)]
    assert {request.key for request in more} == {tuning.key}, "the same network, made otherwise"
    assert len({request.digest for request in (tuning, *others, *more)}) == 7
    same = [
        replace(tuning, settings=tuning.settings.model_copy(update={"steps": 7})),
        replace(tuning, contents=tuning.contents[::-1]),
    ]
    assert {request.digest for request in same} == {tuning.digest}


def test_weights_of_the_classic_objective_count_by_their_defaults(
    contents: Sequence[File], styles: Sequence[File]
) -> None:
    settings = Settings.model_validate({"objective": "classic", "content_weight": 0.02})
    made = make_request(styles[:1], contents, settings, "cpu").settings
    assert (made.objective, made.content_weight, made.style_weight) == ("balanced", 2.0, 1.0)


def test_too_few_pictures_are_refused(contents: Sequence[File], styles: Sequence[File]) -> None:
    with pytest.raises(BadRequest, match="two different content pictures"):
        make_request(styles, [contents[0], contents[0]], Settings(), "cpu")


def test_no_more_pictures_are_taken_than_the_memory_holds(
    contents: Sequence[File], styles: Sequence[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3 * 3 * 96**2)
    made = make_request(styles[:1], contents, Settings(size=64), "cpu")
    assert len(made.contents) == 3


def test_for_original_sizes_the_usual_one_is_trained_for(tmp_path: Path, styles: Sequence[File]) -> None:
    files = []
    for number, size in enumerate([(300, 200), (120, 320), (340, 30), (900, 900), (70, 80)]):
        Image.new("RGB", size, (number, 0, 0)).save(tmp_path / f"{number}.png")
        files.append((tmp_path / f"{number}.png", str(number)))
    made = make_request(styles[:1], files, Settings(size="original"), "cpu")
    assert made.size == 320, "the median of the longer sides, in steps of 64"
    assert made.longer_sides == (160, 480)
    assert make_request(styles[:1], files[-2:], Settings(size="original"), "cpu").size == 512, "of 900 and 80"
