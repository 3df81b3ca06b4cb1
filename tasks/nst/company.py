"""Searches in company: the pictures that several of them ask for are evaluated by one pass of the network.

Each goes on as it would alone, with an optimizer, a best picture and an end of its own, and the next one takes the
place of one that has ended. What is gained is what a single small picture leaves idle: a processor's matrix products
are larger, and a GPU has one kernel to launch for all of them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from stylebatch.tasks.nst.evaluation import Asked, Seen
from stylebatch.tasks.nst.graphs import Evaluator
from stylebatch.tasks.nst.optimize import Search

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class Ended(Generic[K, T]):
    """A search that is over.

    Attributes:
        name: what it was called.
        found: what it has found, or the error that it ended with.
        seconds: its share of the time that was computed.
    """

    name: K
    found: T | Exception
    seconds: float


def in_company(coming: Iterable[tuple[K, Search[T]]], most: int) -> Generator[Ended[K, T]]:
    """Carry out searches, at most ``most`` at once; each is told of when it is over.

    Those that ask for one `Asked.kind` are evaluated together. Where this fails, as for want of memory, they are
    evaluated in halves from then on, so that an error costs none but the search that it belongs to.
    """
    waiting = iter(coming)
    members: list[_Member[K, T]] = []
    together = _Together(most)
    try:
        while True:
            for name, searching in islice(waiting, most - len(members)):
                members.append(_Member(name, searching))
                members[-1].go_on(None)
            if not members:
                return
            alike: dict[object, list[_Member[K, T]]] = defaultdict(list)
            for member in members:
                if member.ended is None:
                    alike[member.asked.kind].append(member)
            for group in alike.values():
                began = time.perf_counter()
                answers = together.evaluate([member.asked for member in group])
                each = (time.perf_counter() - began) / len(group)
                for member, answer in zip(group, answers, strict=True):
                    member.seconds += each
                    member.go_on(answer)
            yield from (member.ended for member in members if member.ended)
            members = [member for member in members if not member.ended]
    finally:
        for member in members:
            member.close()
        together.close()


class _Member(Generic[K, T]):
    """A search that goes on, and what it asks for."""

    asked: Asked

    def __init__(self, name: K, searching: Search[T]) -> None:
        self._name, self._searching = name, searching
        self.seconds = 0.0
        self.ended: Ended[K, T] | None = None

    def go_on(self, answer: Seen | Exception | None) -> None:
        """Tell the search what it has asked for, or what went wrong with that; nothing to begin with."""
        began = time.perf_counter()
        try:
            if isinstance(answer, Exception):
                self.asked = self._searching.throw(answer)
            else:
                self.asked = self._searching.send(answer)  # type: ignore[arg-type]  # it is begun with nothing
        except StopIteration as ended:
            self._end(ended.value, began)
        except Exception as error:
            self._end(error, began)
        else:
            self.seconds += time.perf_counter() - began

    def _end(self, found: T | Exception, began: float) -> None:
        self.ended = Ended(self._name, found, self.seconds + time.perf_counter() - began)

    def close(self) -> None:
        """Give the search up."""
        self._searching.close()


class _Together:
    """Evaluates at most ``most`` at once, and fewer once that has failed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._evaluator = Evaluator()

    def evaluate(self, asked: Sequence[Asked]) -> list[Seen | Exception]:
        found: list[Seen | Exception] = []
        while len(found) < len(asked):
            part = asked[len(found) : len(found) + self._most]
            try:
                found += self._evaluator.evaluate(part)
            except Exception as error:
                if len(part) == 1:
                    found.append(error)
                self._most = max(1, len(part) // 2)
        return found

    def close(self) -> None:
        """Give back what was kept for the next time."""
        self._evaluator.close()
