"""Drawn styles: which of many a content gets is up to a seed and the content's name alone.

So a draw stays when pictures are added or removed, and can be made anew anywhere. Where names end in numbers, as those
of most data sets do, their styles are as balanced as can be: the points of a content are those of a sequence that fills
the unit interval evenly (Richtmyer's, multiples of the roots of primes; Kuipers and Niederreiter, Uniform Distribution
of Sequences, 1974, chapter 2, section 3). It begins elsewhere for each seed and each name without its number, so
that names without numbers are drawn as dice would draw them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, islice
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.voronoi import MOST, diagram
from stylebatch.tasks.request.keep import check_keep
from stylebatch.tasks.request.settings import nearest, problems
from stylebatch.tasks.request.styles import parse_styles, written

BITS = 64
TRIES = 5  # of a condition, unless they are given
_MASK = 2**BITS - 1
_LAST_NUMBER = re.compile(r"(.*[^0-9]|)([0-9]+)([^0-9]*)", re.DOTALL)


class Draw(BaseModel):
    """What ``draw`` asks for.

    Attributes:
        styles: pictures of each content, each in a style of its own.
        seed: another one is another draw.
        regions: of each picture, each in a style of its own; with 1, the whole picture is in one style.
        keep: a condition that each picture has to fulfil, or the next styles of the draw are tried.
        tries: how many are tried at most, the first among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    styles: int = Field(1, ge=1)
    seed: int = Field(0, ge=0, lt=2**63)
    regions: int = Field(1, ge=1, le=MOST)
    keep: str = Field("", min_length=1)
    tries: int | None = Field(None, ge=1)


def parse_draw(given: Any) -> Draw:
    """Read what stands behind ``draw``.

    Raises:
        BadInput: it has another key, or a value that is not allowed.
    """
    if not isinstance(given, Mapping):
        raise BadInput("draw is a mapping, {styles: 2, seed: 0}")
    for name in given:
        if name not in Draw.model_fields:
            raise BadInput(f"draw: there is no {name!r}{nearest(str(name), Draw.model_fields)}")
    try:
        return Draw.model_validate(given)
    except ValidationError as error:
        raise BadInput("draw: " + "; ".join(f"{name}: {problem}" for name, problem in problems(error))) from None


class Drawing:
    """A draw from some styles: the same for the same seed and styles, in whichever order these are."""

    def __init__(self, draw: Draw, styles: Sequence[Any]) -> None:
        """
        Raises:
            BadInput: there are fewer styles than are asked for, or a condition that cannot be evaluated.
        """
        different = {_text(style): style for style in styles}
        self.draw = draw
        self._styles = [different[text] for text in sorted(different)]
        if draw.keep:
            check_keep(draw.keep)
        elif draw.tries:
            raise BadInput("draw: tries are for keep, a condition that the pictures have to fulfil")
        each = draw.styles * draw.regions
        self._tries = (draw.tries or max(1, min(TRIES, len(different) // each))) if draw.keep else 1
        if each * self._tries > len(different):
            asked = f"{draw.styles} styles"
            asked += f" in each of {draw.regions} regions" if draw.regions > 1 else ""
            asked += f" and {self._tries} tries" if self._tries > 1 else ""
            asked += f", {each * self._tries} in all," if each * self._tries > draw.styles else ""
            raise BadInput(f"draw: {asked} for each content are more than the {len(different)} there are")
        if draw.regions > 1:
            self._styles = [_single(style) for style in self._styles]

    def rows(self, content: str) -> Iterator[dict[str, Any]]:
        """The rows of a content, by its name in the manifest."""
        draw, tries = self.draw, self._tries
        places = draw_places(draw.seed, content, len(self._styles), draw.styles * draw.regions * tries)
        drawn = [self._styles[place] for place in places]
        # One cell of a row for each of so many: a style, or those of all regions.
        cells = drawn if draw.regions == 1 else _batches(drawn, draw.regions)
        for number in range(draw.styles):
            row: dict[str, Any] = {"content": content, "style": cells[number]}
            if draw.regions > 1:
                seed = hashlib.shake_128(_seeded(draw.seed, f"{content}\0{number}")).hexdigest(8)
                row["masks"] = diagram(draw.regions, seed)
            if draw.keep:
                row["keep"] = draw.keep
                row["next_styles"] = cells[number + draw.styles :: draw.styles]
            yield row


def draw_places(seed: int, name: str, places: int, drawn: int) -> list[int]:
    """So many of ``range(places)``, each at most once; each is as likely as any other, whatever the ones before."""
    number, rest = _numbered(name)
    begin = hashlib.shake_128(_seeded(seed, rest)).digest(drawn * BITS // 8)
    moved: dict[int, int] = {}  # of Fisher and Yates' shuffle, what is not in its own place any more
    order = []
    for step, stride in enumerate(_strides(drawn)):
        point = int.from_bytes(begin[step * 8 : step * 8 + 8]) + number * stride & _MASK
        place = step + (point * (places - step) >> BITS)
        order.append(moved.get(place, place))
        moved[place] = moved.get(step, step)
    return order


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _seeded(seed: int, text: str) -> bytes:
    return f"{seed}\0{text}".encode("utf-8", "surrogatepass")


def _numbered(name: str) -> tuple[int, str]:
    """The last number of a name, that of its ending aside, and the name without it."""
    stem, _, ending = name.rpartition(".")
    found = _LAST_NUMBER.fullmatch(stem)
    return (int(found[2][-18:]), f"{found[1]}\0{found[3]}.{ending}") if found else (0, name)


@lru_cache
def _strides(count_: int) -> tuple[int, ...]:
    """The fractions of the roots of the first primes, in units of 2^-64."""
    primes = (n for n in count(2) if all(n % smaller for smaller in range(2, math.isqrt(n) + 1)))
    return tuple(math.isqrt(prime << 2 * BITS) & _MASK for prime in islice(primes, count_))


def _single(style: Any) -> str:
    """The name of a style that is one picture."""
    try:
        (named,) = parse_styles(style)
    except ValueError:
        raise BadInput(f"draw: a region takes one picture, and styles has the blend {_text(style)!r}") from None
    return named.name


def _text(style: Any) -> str:
    """A style as text: two that are the same are one."""
    try:
        return written(parse_styles(style))
    except BadInput:  # told with each of its rows
        return repr(style)
