"""Ids that need the key: for pairs that have none, their pictures' names and the digits that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from stylebatch.tasks.request.ids import KEY, KEY_DIGITS, LONGEST_ID, as_file, shortened

ROOM = LONGEST_ID - len("--") - KEY_DIGITS - len("-1000000")  # for both names together


class NameTaken(Exception):
    """An id is another row's already."""


class DerivedIds:
    """Makes ids, no two of which would be one file, nor one with those that are ``taken``."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {as_file(name) for name in taken}
        self._numbers: dict[str, int] = {}  # the last one, of what is there more than once

    def name(self, given: str, key: str, content: str, styles: Sequence[str]) -> str:
        """The id of a pair: the one that was given, with the key where it asks for it, or one that is made.

        Args:
            content: the file's name without its ending, as those of ``styles``.

        Raises:
            NameTaken: with the key in it, it is another's.
        """
        if not given:
            return self._derive(key, content, styles)
        if KEY in given and not self._take(given := given.replace(KEY, key[:KEY_DIGITS])):
            raise NameTaken(f"{given!r} is another row's already, which asks for the same picture")
        return given

    def _derive(self, key: str, content: str, styles: Sequence[str]) -> str:
        """``content-style-key``, with a number behind it where a manifest has the same pair twice."""
        first, second = _plain(content), _plain(" ".join(styles))
        first = shortened(first, max(ROOM // 2, ROOM - len(second)))
        derived = f"{first}-{shortened(second, ROOM - len(first))}-{key[:KEY_DIGITS]}"
        if self._take(derived):
            return derived
        number = self._numbers.get(derived, 1) + 1
        while not self._take(candidate := f"{derived}-{number}"):
            number += 1
        self._numbers[derived] = number
        return candidate

    def _take(self, name: str) -> bool:
        file = as_file(name)
        if file in self._taken:
            return False
        self._taken.add(file)
        return True


@lru_cache(maxsize=65_536)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "picture"
