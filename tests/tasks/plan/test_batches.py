"""Which jobs go through a network together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.batches import MOST, ROUNDS, in_batches, most_in_company
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.places import Place

PAINTED = Settings(size=256, engine="feedforward", precision="float32")


def job(row: int, settings: Settings = PAINTED, content: str = "a.jpg", model_sha256: str | None = "m") -> Job:
    return Job(
        row=row,
        id=f"id-{row}",
        key=f"key-{row}",
        content=Path(content),
        styles=(),
        init=None,
        weights=Path("w"),
        content_name=content,
        style_name="night",
        settings=settings,
        content_sha256="c",
        init_sha256=None,
        weights_sha256="w",
        model=Path("night.safetensors"),
        model_sha256=model_sha256,
    )


SIZES: dict[Place, tuple[int, int]] = {
    Path("a.jpg"): (400, 300),
    Path("b.jpg"): (800, 600),
    Path("tall.jpg"): (300, 400),
}


def rows(batches: list[list[Job]]) -> list[list[int]]:
    return [[job.row for job in batch] for batch in batches]


def test_original_sizes_go_together_where_they_are_equal() -> None:
    own = Settings(size="original", engine="feedforward", precision="float32")
    jobs = [job(1, own), job(2, own, content="tall.jpg"), job(3, own, content="a.jpg"), job(4, own, content="b.jpg")]
    assert rows(in_batches(jobs, SIZES)) == [[1, 3], [2], [4]]


def test_equal_shapes_go_together_whatever_their_files_sizes() -> None:
    jobs = [job(1), job(2, content="tall.jpg"), job(3, content="b.jpg"), job(4, content="tall.jpg")]
    assert rows(in_batches(jobs, SIZES)) == [[1, 3], [2, 4]]


def test_a_batch_is_no_larger_than_its_pixels_allow() -> None:
    assert rows(in_batches([job(row) for row in range(12)], SIZES)) == [list(range(10)), [10, 11]]
    large = PAINTED.model_copy(update={"size": 1024})
    assert rows(in_batches([job(row, large) for row in range(3)], SIZES)) == [[0], [1], [2]]


def test_other_networks_and_number_formats_do_not_go_together() -> None:
    other = PAINTED.model_copy(update={"precision": "bfloat16"})
    jobs = [job(1), job(2, model_sha256="n"), job(3, other), job(4)]
    assert rows(in_batches(jobs, SIZES)) == [[1, 4], [2], [3]]


def test_other_styles_and_weights_do() -> None:
    jobs = [job(1), replace(job(2), style_name="day"), job(3, PAINTED.model_copy(update={"style_weight": 20.0}))]
    assert rows(in_batches(jobs, SIZES)) == [[1, 2, 3]]


def optimized(rows: int, size: int = 128, first: int = 0, **settings: object) -> list[Job]:
    asked = Settings(size=size).model_copy(update={"precision": "bfloat16", **settings})
    return [replace(job(first + row, asked), model=None, model_sha256=None) for row in range(rows)]


def test_small_pairs_go_in_company_and_those_that_end_make_room() -> None:
    at_once = most_in_company("cpu", "bfloat16", 128 * 96)
    assert at_once == 5
    sizes = [len(batch) for batch in in_batches(optimized(50), SIZES)]
    assert sizes == [ROUNDS * at_once, ROUNDS * at_once, 10]


def test_company_is_shared_out_among_the_slots() -> None:
    pairs = [Slot("cpu"), Slot("cpu")]
    assert rows(in_batches(optimized(7), SIZES, pairs)) == [[0, 1, 2, 3], [4, 5, 6]]
    assert rows(in_batches(optimized(2), SIZES, pairs)) == [[0], [1]]


def test_other_layers_views_number_formats_and_steps_are_other_company() -> None:
    others = [
        optimized(1, first=2, style_layers={"relu1_1": 1.0}),
        optimized(1, first=3, preserve_color="luminance"),
        optimized(1, first=4, precision="float32"),
        optimized(1, first=5, pooling="average"),
        optimized(1, size=96, first=6),
        optimized(1, first=7, style_weight=3.0, tolerance=0.1, objective="classic"),
        optimized(1, first=8, steps=5),
    ]
    jobs = [*optimized(2), *(one for other in others for one in other)]
    assert rows(in_batches(jobs, SIZES)) == [[0, 1, 7], [2], [3], [4], [5], [6], [8]]


def test_a_gpu_has_more_company_than_a_processor() -> None:
    pixels = 256 * 192
    assert [most_in_company(device, "bfloat16", pixels) for device in ("cpu", "cuda:1")] == [1, 16]
    assert [most_in_company("cuda:0", "bfloat16", side * side * 3 // 4) for side in (512, 1024, 2048)] == [16, 4, 1]
    assert most_in_company("cpu", "bfloat16", 32 * 32) == MOST
    assert most_in_company("cpu", "float32", 32 * 32) == 1, "without bfloat16 there is nothing to gain"
    assert rows(in_batches(optimized(2, 256), SIZES, [Slot("cuda:0")])) == [[0, 1]]


def test_what_the_optimizer_has_a_part_in_goes_alone_where_company_gains_nothing() -> None:
    refined = PAINTED.model_copy(update={"refine": 5})
    optimized = Settings(size=256, precision="bfloat16")
    jobs = [job(1, refined), job(2, refined), replace(job(3, optimized), model=None), job(4, optimized)]
    assert rows(in_batches(jobs, SIZES)) == [[1], [2], [3], [4]]
