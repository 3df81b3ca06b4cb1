"""Which jobs go through a network together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stylebatch.tasks.plan.batches import in_batches
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


def test_what_the_optimizer_has_a_part_in_goes_alone() -> None:
    refined = PAINTED.model_copy(update={"refine": 5})
    optimized = Settings(size=256)
    jobs = [job(1, refined), job(2, refined), replace(job(3, optimized), model=None), job(4, optimized)]
    assert rows(in_batches(jobs, SIZES)) == [[1], [2], [3], [4]]
