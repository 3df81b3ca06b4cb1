"""Ids for pairs that have none: what their pictures are called, and the digits of the key that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stylebatch.tasks.request.ids import KEY, KEY_DIGITS, LONGEST_ID, as_file, shortened

ROOM = LONGEST_ID - len("--") - KEY_DIGITS - len("-1000000")  # for both names together


class DerivedIds:
    """Makes ids, no two of which would be one file, nor one with those that are ``taken``."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {as_file(name) for name in taken}
        self._numbers: dict[str, int] = {}

    def derive(self, content: str, styles: Sequence[str], key: str) -> str:
        """``content-style-key``, with a number behind it where a manifest has the same pair twice.

        Args:
            content: the file's name without its ending, as those of ``styles``.
        """
        first, second = _plain(content), _plain(" ".join(styles))
        room = max(ROOM // 2, ROOM - len(second))
        first = shortened(first, room)
        derived = f"{first}-{shortened(second, ROOM - len(first))}-{key[:KEY_DIGITS]}"
        number = self._numbers.get(derived, 0) + 1
        while not self._take(candidate := derived if number == 1 else f"{derived}-{number}"):
            number += 1
        self._numbers[derived] = number
        return candidate

    def fill(self, name: str, key: str) -> str | None:
        """An id that was given with `KEY` in it, or nothing where it would be another's."""
        filled = name.replace(KEY, key[:KEY_DIGITS])
        return filled if self._take(filled) else None

    def _take(self, name: str) -> bool:
        file = as_file(name)
        if file in self._taken:
            return False
        self._taken.add(file)
        return True


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "picture"
