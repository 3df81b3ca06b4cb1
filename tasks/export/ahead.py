"""Something done to each of many items by several threads, with no more of it in memory than they are ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from stylebatch.tasks.errors import BadInput

T = TypeVar("T")
R = TypeVar("R")
THREADS = 8
AHEAD = 32  # items that are done, or being done, before they are asked for


def ahead(action: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R | BadInput]]:
    """The items in their order, each with what has become of it, or with what is wrong with it."""
    waiting: deque[tuple[T, Future[R | BadInput]]] = deque()

    def attempt(item: T) -> R | BadInput:
        try:
            return action(item)
        except BadInput as error:
            return error

    with ThreadPoolExecutor(THREADS) as threads:
        try:
            for item in items:
                waiting.append((item, threads.submit(attempt, item)))
                if len(waiting) > AHEAD:
                    yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()


def _done(item: T, future: Future[R]) -> tuple[T, R]:
    return item, future.result()
