"""How many rows a chunk has, and which."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from stylebatch.tasks.plan.chunks import AIM, FASTER, FIRST, MOST, Chunk, Pace
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.request.settings import Settings
from tests.tasks.plan.test_batches import job


def batches(count: int, size: int = 4, first: int = 0) -> deque[Sequence[Job]]:
    rows = iter(range(first, first + count * size))
    return deque([job(next(rows)) for _ in range(size)] for _ in range(count))


def rows(chunk: Chunk) -> list[int]:
    return [one.row for one in chunk.jobs]


def test_the_first_chunk_is_small_and_the_next_as_large_as_the_rate_allows() -> None:
    pace, waiting = Pace(), batches(10_000)
    assert rows(pace.take(waiting, 1)) == list(range(FIRST))
    pace.ended(FIRST, AIM / 2)
    assert len(pace.take(waiting, 1).jobs) == 2 * FIRST
    pace.ended(2 * FIRST, AIM / 1000)
    assert len(pace.take(waiting, 1).jobs) == FASTER * 2 * FIRST, "one quick chunk is no reason for a huge one"
    for _ in range(8):
        pace.ended(MOST, 0.0)
    assert len(pace.take(waiting, 1).jobs) == MOST
    pace.ended(1, 10 * AIM)
    assert len(pace.take(waiting, 1).jobs) == 4, "a batch stays together"


def test_what_is_left_is_shared_out() -> None:
    waiting = batches(6, size=2)
    pace = Pace()
    sizes = []
    while waiting:
        sizes.append(len(pace.take(waiting, 3).jobs))
    assert sizes == [4, 2, 2, 2, 2]


def test_a_chunk_ends_before_what_is_optimized() -> None:
    optimized = [replace(job(99), settings=Settings(size=64))]
    waiting = deque([*batches(1), optimized, *batches(1, first=4)])
    assert rows(Pace().take(waiting, 1)) == [0, 1, 2, 3]
    assert waiting[0] is optimized


def test_company_is_a_chunk_of_its_own() -> None:
    optimized = [replace(job(row), settings=Settings(size=64)) for row in (7, 8)]
    waiting = deque([optimized, *batches(2)])
    chunk = Pace().take(waiting, 1)
    assert rows(chunk) == [7, 8]
    assert chunk.title == "id-7 and 1 more, in company"


def test_the_same_keys_are_the_same_chunk() -> None:
    one, same = (Chunk(list(batches(3))) for _ in range(2))
    assert one.name == same.name
    assert one.name != Chunk(list(batches(2))).name
    assert one.title == "id-0 and 11 more, in one pass"
    assert Chunk(list(batches(1, size=1))).title == "id-0, in one pass"
