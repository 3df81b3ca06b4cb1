"""Draws: stable, without repetition, and balanced within bounds that can be reasoned."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.draw import Draw, Drawing, draw_places, parse_draw
from stylebatch.tasks.request.styles import parse_masks

STYLES = [f"styles/{letter}.jpg" for letter in "abcdefghijklmnopqrst"]
PICTURES, PLACES = 10_000, 20
NUMBERED = [f"photographs/img_{number:05}.jpg" for number in range(PICTURES)]

EXPECTED = [[3, 4, 19], [9, 0, 14]]


def drawn(names: Iterable[str], number: int, seed: int = 0, styles: list[Any] = STYLES) -> dict[str, list[Any]]:
    drawing = Drawing(Draw(styles=number, seed=seed), styles)
    return {name: [row["style"] for row in drawing.rows(name)] for name in names}


def farthest(names: Iterable[str], turn: int = 0) -> float:
    """By how many pictures the styles that are drawn at a turn are off from their fair share, at most."""
    counts = Counter(draw_places(0, name, PLACES, turn + 1)[turn] for name in names)
    return max(abs(counts[place] - PICTURES / PLACES) for place in range(PLACES))


def test_a_draw_is_the_same_today_and_tomorrow() -> None:
    """These are the ones of the first version: another outcome would be another data set for everybody."""
    assert [draw_places(0, name, 20, 3) for name in ("a.jpg", "beach/img_0007.jpg")] == EXPECTED
    assert draw_places(1, "a.jpg", 20, 3) != EXPECTED[0]


def test_what_is_drawn_stays_when_pictures_come_and_go() -> None:
    names = random.Random(0).sample(NUMBERED, 500)
    alone = {name: styles for name in names for styles in drawn([name], 2).values()}
    assert alone == drawn(names, 2)
    assert {name: styles[:1] for name, styles in alone.items()} == drawn(names, 1), "more styles keep the first ones"


def test_the_order_in_which_styles_are_given_and_how_does_not_matter() -> None:
    mixed = [*random.Random(1).sample(STYLES, len(STYLES)), *STYLES[:3]]
    assert drawn(NUMBERED[:100], 2, styles=mixed) == drawn(NUMBERED[:100], 2)
    blends = [["a.jpg", "b.jpg"], {"a.jpg": 2, "b.jpg": 1}, "c.jpg"]
    assert {str(style) for styles in drawn(NUMBERED[:100], 1, styles=blends).values() for style in styles} == {
        str(blend) for blend in blends
    }


def test_no_style_comes_twice() -> None:
    for styles in drawn(NUMBERED[:300], 7).values():
        assert len(set(styles)) == 7
    assert all(sorted(styles) == STYLES for styles in drawn(NUMBERED[:50], len(STYLES)).values())


def test_numbered_names_are_drawn_as_evenly_as_the_sequence_is() -> None:
    """Ostrowski: of q successive points, q the denominator of a convergent p/q of the root of 2, an interval has its
    share to within less than 2: they are a grid of step 1/q, each moved by less than a step, all to the same side.
    10,000 are a sum of 8 such denominators."""
    convergents = [1, 2]
    while convergents[-1] < PICTURES:
        convergents.append(2 * convergents[-1] + convergents[-2])
    left, blocks = PICTURES, 0
    for denominator in reversed(convergents):
        blocks += left // denominator
        left %= denominator
    assert (left, blocks) == (0, 8)
    assert farthest(NUMBERED) < 2 * blocks


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_names_without_numbers_are_drawn_as_by_dice(turn: int) -> None:
    """A count of a fair draw has the standard deviation of the binomial distribution, here 21.8 of 500. That one of 20
    counts is off by 4.5 of them is to be expected once in 7,000 draws; a rule that favours a style is."""
    dice = random.Random(0)
    names = ["".join(dice.choices("abcdefghijklmnop", k=12)) + ".jpg" for _ in range(PICTURES)]
    share = 1 / PLACES
    assert farthest(names, turn) < 4.5 * math.sqrt(PICTURES * share * (1 - share))


@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize(
    "pattern", ["{0:05}.jpg", "{1}/{2}.jpg", "seq-{3}.png", "{0}_x.jp2", "n01440764_{3}.JPEG"], ids=str
)
def test_names_with_numbers_are_no_less_even(pattern: str, turn: int) -> None:
    names = [pattern.format(n, f"class-{n % 20:02}", n // 20, 10 * n) for n in range(PICTURES)]
    assert farthest(names, turn) < 4.5 * math.sqrt(PICTURES / PLACES * (1 - 1 / PLACES)) / 2


def test_regions_have_styles_of_their_own_and_a_diagram_for_each_picture() -> None:
    drawing = Drawing(Draw(styles=2, regions=3), STYLES)
    rows = [row for name in NUMBERED[:50] for row in drawing.rows(name)]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert len({*first["style"], *second["style"]}) == 6
    assert len({row["masks"] for row in rows}) == len(rows) == 100
    assert all(len(parse_masks(row["masks"])) == 3 for row in rows)
    assert rows == [row for name in NUMBERED[:50] for row in Drawing(drawing.draw, STYLES[::-1]).rows(name)]


def test_a_condition_has_the_next_styles_of_the_draw_behind_it() -> None:
    keep = "structure >= 0.4"
    plain = drawn(NUMBERED[:20], 2)
    for name in NUMBERED[:20]:
        one, other = Drawing(Draw(styles=2, keep=keep, tries=3), STYLES).rows(name)
        assert [one["style"], other["style"]] == plain[name], "a condition changes nothing where all pass"
        tried = [one["style"], *one["next_styles"], other["style"], *other["next_styles"]]
        assert len(set(tried)) == len(tried) == 6
        assert (one["keep"], other["keep"]) == (keep, keep)
    (row,) = Drawing(Draw(keep=keep, regions=3), STYLES).rows("a.jpg")
    assert [len(styles) for styles in (row["style"], *row["next_styles"])] == [3] * 5
    (row,) = Drawing(Draw(keep=keep), STYLES[:3]).rows("a.jpg")
    assert len(row["next_styles"]) == 2, "as many as there are, where nothing else is asked for"


def test_all_combinations_of_two_styles_come_up() -> None:
    pairs = Counter(frozenset(draw_places(0, name, PLACES, 2)) for name in NUMBERED)
    assert len(pairs) == math.comb(PLACES, 2)


@pytest.mark.parametrize("name", ["", "/", "1", "9" * 5000 + ".jpg", "٣.jpg", "half \ud800.jpg", "a.b/c"])
def test_any_name_can_be_drawn_for(name: str) -> None:
    assert len(set(draw_places(0, name, 5, 5))) == 5


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["a"], "draw is a mapping"),
        (None, "draw is a mapping"),
        ({"stiles": 2}, "draw: there is no 'stiles'; did you mean 'styles'?"),
        ({"styles": "two"}, "draw: styles: input should be a valid integer"),
        ({"styles": 0}, "draw: styles: "),
        ({"styles": [1]}, "draw: styles: "),
        ({"seed": "-1"}, "draw: seed: "),
        ({"regions": 65}, "draw: regions: "),
        ({"styles": 4, "regions": 6}, "draw: 4 styles in each of 6 regions, 24 in all, for each content are more than"),
        ({"keep": "structure >"}, "keep structure >: invalid syntax; write it as keep 'structure < 0.6'"),
        ({"keep": "stucture > 1"}, "keep: the report has no column 'stucture'; did you mean 'structure'?"),
        ({"keep": ""}, "draw: keep: "),
        ({"tries": 3}, "draw: tries are for keep"),
        ({"keep": "structure > 0", "tries": 0}, "draw: tries: "),
        ({"keep": "structure > 0", "styles": 3, "tries": 7}, "draw: 3 styles and 7 tries, 21 in all, for each content"),
        ({"styles": "21"}, "draw: 21 styles for each content are more than the 20 there are"),
    ],
)
def test_a_wrong_draw_is_one_sentence(given: Any, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        Drawing(parse_draw(given), [*STYLES, *STYLES])
    assert says in str(caught.value)


def test_a_region_takes_no_blend() -> None:
    with pytest.raises(BadInput, match=r"a region takes one picture, and styles has the blend 'a\.jpg \| b\.jpg'"):
        Drawing(Draw(regions=2), [*STYLES, ["a.jpg", "b.jpg"]])
