"""What a training is asked for, and the digests by which its outcome is known again."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.nst.precision import fastest_precision
from stylebatch.tasks.pictures.decode import header_size
from stylebatch.tasks.request.settings import WEIGHTS, Settings
from stylebatch.tasks.storage.places import Place

Method = Literal["any-style", "cyclegan"]
# Steps unless told otherwise: tuning takes ten minutes on two cores at 130 GFLOP/s, a network for any style a day, and
# one for a collection two hours.
TUNING_STEPS, ANY_STYLE_STEPS, COLLECTION_STEPS = 150, 60_000, 20_000
# The settings that a training goes by.
COUNTING: Mapping[Method, Sequence[str]] = {
    "any-style": ("size", "style_scale", "content_weight", "style_weight", "tv_weight", "precision", "seed"),
    "cyclegan": ("size", "style_scale", "content_weight", "style_weight", "precision", "seed"),
}
LEAST_COLLECTION = 8  # different paintings
VERSION = 5  # to be raised with every change that gives another network for the same request
MOST_BYTES = 500e6  # of the contents that are kept in memory, and of the styles: 8-bit, some 1,500 at a size of 256
File = tuple[Place, str]  # with its SHA-256


@dataclass(frozen=True)
class Request:
    """What a training is asked for.

    Attributes:
        styles: one, which the network is tuned to, or the several that it learns any style from, or the collection.
        contents: photographs; some are held out.
        settings: those of `COUNTING` decide, with the weights of the balanced objective. For a collection these are
            factors on the published weights, of cycle and identity, and of the critics.
        steps: of the training, at most.
        start: the file of a network to start from.
    """

    styles: Sequence[File]
    contents: Sequence[File]
    settings: Settings
    steps: int
    start: File | None = None
    method: Method = "any-style"

    @property
    def is_tuning(self) -> bool:
        """Whether it is for one style."""
        return len(self.styles) == 1

    @property
    def is_for_collection(self) -> bool:
        """Whether all styles together are one."""
        return self.method == "cyclegan"

    @property
    def name(self) -> str:
        """What the network paints, for people."""
        if self.is_for_collection:
            return f"a collection of {len(self.styles)} paintings"
        return self.styles[0][0].name if self.is_tuning else "any style"

    @property
    def size(self) -> int:
        """The longer side, in pixels, that the network is trained for."""
        assert self.settings.size != "original"  # `make_request` has put a number in its place
        return self.settings.size

    @property
    def longer_sides(self) -> tuple[int, int]:
        """The least and the largest longer side, in pixels, of the pictures that the network is trained for."""
        if self.is_for_collection:  # strokes of all sizes at once would be a style of their own
            return 3 * self.size // 4, 5 * self.size // 4
        return self.size // 2, 3 * self.size // 2

    @cached_property
    def key(self) -> str:
        """The digest of what the network is for, 64 hexadecimal digits: the same whatever it is trained with."""
        return _digest(
            version=VERSION,
            styles=sorted(sha256 for _, sha256 in self.styles),
            settings=self.settings.model_dump(mode="json", include=set(COUNTING[self.method])),
            start=self.start and self.start[1],
            **({"method": self.method} if self.is_for_collection else {}),
        )

    @cached_property
    def digest(self) -> str:
        """Of all that decides the network, 64 hexadecimal digits."""
        return _digest(key=self.key, contents=sorted(sha256 for _, sha256 in self.contents), steps=self.steps)


def _digest(**decides: object) -> str:
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def make_request(
    styles: Sequence[File],
    contents: Sequence[File],
    settings: Settings,
    device: str,
    start: File | None = None,
    steps: int | None = None,
    method: Method = "any-style",
) -> Request:
    """A request with what ``auto`` stands for on this device in its place.

    A size of ``original`` becomes the contents' usual one. Weights of the classic objective become those that are as
    many times the default of the balanced one.
    Pictures that are there twice count once, and of too many for the memory some are taken.

    Args:
        styles: one, to be tuned to, or several different ones, or those of a collection.

    Raises:
        BadRequest: there are too few different contents, or too few for a collection.
    """
    content, style = WEIGHTS[settings.objective]
    resolved = settings.model_copy(
        update={
            "precision": fastest_precision(device) if settings.precision == "auto" else settings.precision,
            "size": _usual_size(contents) if settings.size == "original" else settings.size,
            "objective": "balanced",
            "content_weight": settings.content_weight / content,
            "style_weight": settings.style_weight / style,
        }
    )
    looks, photographs = _different(styles), _different(contents)
    if len(photographs) < 2:
        raise BadRequest("a training needs two different content pictures at least, since one is held out; give more")
    if method == "cyclegan" and len(looks) < LEAST_COLLECTION:
        raise BadRequest(
            f"a collection has {LEAST_COLLECTION} different paintings at least, and here "
            f"{'is 1' if len(looks) == 1 else f'are {len(looks)}'}; tune the network to one, as STYLE, or blend some"
        )
    usual = TUNING_STEPS if len(looks) == 1 else ANY_STYLE_STEPS
    request = Request(
        looks, photographs, resolved, steps or (COLLECTION_STEPS if method == "cyclegan" else usual), start, method
    )
    most = max(2, int(MOST_BYTES / (3 * request.longer_sides[1] ** 2)))
    return replace(request, styles=looks[:most], contents=photographs[:most])


def _usual_size(contents: Sequence[File]) -> int:
    """The median of the contents' longer sides, in steps of 64 px, so that it stays when few are added or removed."""
    longer = statistics.median(max(header_size(path)) for path, _ in contents)
    return min(max(64, 64 * round(longer / 64)), 4096)


def _different(files: Sequence[File]) -> list[File]:
    """Each picture once, by the order of their digests, which has nothing to do with what they show."""
    return sorted({sha256: (path, sha256) for path, sha256 in files}.values(), key=lambda file: file[1])
