"""Something done to each of many items by several threads, with no more of it in memory than they are ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
THREADS = 8
AHEAD = 32  # items that are done, or being done, before they are asked for


def ahead(action: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, Future[R]]]:
    """The items in their order, each with what is becoming of it."""
    waiting: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        try:
            for item in items:
                waiting.append((item, threads.submit(action, item)))
                if len(waiting) > AHEAD:
                    yield waiting.popleft()
            yield from waiting
        finally:
            for _, future in waiting:
                future.cancel()
