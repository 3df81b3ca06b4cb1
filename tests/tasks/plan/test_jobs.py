"""Jobs: what a key depends on and what it does not, ids, and pictures that have gone or are cut off."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import stylebatch.tasks.plan.key
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.nst.precision import fastest_precision
from stylebatch.tasks.nst.weights import bundled_weights
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.voronoi import Cell
from stylebatch.tasks.plan.jobs import Job, check_decoding, make_jobs
from stylebatch.tasks.plan.key import pair_key
from stylebatch.tasks.plan.rows import BadRow, check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of

PAIR = {"content": "content.png", "style": "style.png", "precision": "float32"}

STYLES = [("2", 1.0, None)]  # one style, by its digest, without a mask

OTHER_SETTINGS: dict[str, Any] = {
    "size": 513,
    "format": "jpeg",
    "objective": "classic",
    "steps": 151,
    "tolerance": 0.1,
    "content_weight": 0.02,
    "style_weight": 11.0,
    "tv_weight": 0.001,
    "tv_power": 2,
    "network": "vgg16",
    "content_layers": {"relu4_1": 1.0},
    "style_layers": {"relu1_1": 1.0, "relu2_1": 0.5},
    "strength": 0.5,
    "style_scale": 1.1,
    "scales": 2,
    "init": "noise",
    "seed": 1,
    "optimizer": "adam",
    "history": 51,
    "learning_rate": 0.02,
    "preserve_color": "match",
    "pooling": "average",
    "precision": "bfloat16",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in (("content", "teal"), ("style", "orange"), ("start", "grey")):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{name}.png")
    return tmp_path


def attempt(folder: Path, *rows: dict[str, Any]) -> tuple[list[Job], list[BadRow]]:
    manifest = Manifest(folder / "rows.csv", list(rows))
    pairs, bad_rows = check_rows(manifest, {})
    assert bad_rows == []
    return make_jobs(manifest, pairs, Slot("cpu"))


def jobs_of(folder: Path, *rows: dict[str, Any]) -> list[Job]:
    jobs, bad_rows = attempt(folder, *rows)
    assert bad_rows == []
    return jobs


def key_of(folder: Path, **row: Any) -> str:
    (job,) = jobs_of(folder, {**PAIR, **row})
    return job.key


# Keys


# A preset counts by what it stands for, the limit of memory by the history that it leaves, and weights by their bytes:
# tests/tasks/request/test_presets.py, and test_memory.py and test_weights.py of other rooms.
# Those of trained networks are below.
APART = ("preset", "memory_limit", "weights", "engine", "effort", "model", "strength", "refine", "judge", "quality")


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name not in APART])
def test_every_setting_changes_the_key(name: str) -> None:
    settings = Settings(precision="float32")
    other = settings.model_copy(update={name: OTHER_SETTINGS[name]})
    assert pair_key("1", STYLES, None, "3", settings) == pair_key("1", STYLES, None, "3", settings.model_copy())
    assert pair_key("1", STYLES, None, "3", other) != pair_key("1", STYLES, None, "3", settings)


def painted_key(model_sha256: str = "m", **changed: object) -> str:
    settings = Settings(precision="float32", engine="feedforward", model="a.safetensors").model_copy(update=changed)
    return pair_key("1", STYLES, None, "3", settings, model_sha256)


def test_a_trained_network_counts_by_its_bytes_and_only_where_it_paints() -> None:
    optimized = Settings(precision="float32")
    with_model = optimized.model_copy(update={"model": "a.safetensors", "refine": 3})
    assert pair_key("1", STYLES, None, "3", with_model) == pair_key("1", STYLES, None, "3", optimized)
    assert painted_key() != pair_key("1", STYLES, None, "3", optimized)
    assert painted_key() == painted_key(model="elsewhere.safetensors")
    assert painted_key() != painted_key("n")


def test_an_optimizer_that_starts_from_a_painted_picture_has_the_network_in_its_key() -> None:
    settings = Settings(precision="float32", init="painted")
    softer = settings.model_copy(update={"strength": 0.5})
    keys = [pair_key("1", STYLES, None, "3", one, model) for one in (settings, softer) for model in ("m", "n")]
    assert len(set(keys)) == 4


@pytest.mark.parametrize("change", [{"effort": "best"}, {"judge": 0.1}])
def test_what_chooses_an_engine_or_who_is_judged_decides_no_picture(change: dict[str, object]) -> None:
    settings = Settings(precision="float32")
    other = settings.model_copy(update=change)
    assert pair_key("1", STYLES, None, "3", other) == pair_key("1", STYLES, None, "3", settings)


@pytest.mark.parametrize(
    "name",
    [name for name in Settings.model_fields if name not in ("preset", "memory_limit", "effort", "judge", "quality")],
)
def test_of_a_painted_picture_what_decides_it_counts(name: str) -> None:
    of_optimizing = name in ("steps", "scales", "init", "seed", "engine", "model", "weights")
    of_optimizers = name in ("optimizer", "learning_rate", "history", "tolerance")
    if name in OTHER_SETTINGS:
        change = {name: OTHER_SETTINGS[name]}
        assert (painted_key() == painted_key(**change)) == (of_optimizing or of_optimizers)
        few = name == "history"  # more than the steps could use
        assert (painted_key(refine=2) == painted_key(**{"refine": 2, **change})) == (of_optimizing or few)
    else:
        assert name in ("engine", "model", "weights", "refine")
        assert painted_key() != painted_key(refine=2)


def test_the_quality_counts_where_the_format_loses_something() -> None:
    def key(**changed: object) -> str:
        return pair_key("1", STYLES, None, "3", Settings(precision="float32").model_copy(update=changed))

    assert key(quality=50) == key(), "which is also what it was before there were formats"
    assert len({key(format=name, quality=quality) for name in ("jpeg", "webp") for quality in (50, 90)}) == 4


@pytest.mark.parametrize(("init", "model"), [(None, None), ("5", None), (None, "6"), ("5", "6")])
def test_the_key_is_the_digest_of_json_with_sorted_names(init: str | None, model: str | None) -> None:
    settings, styles = Settings(precision="float32"), [("2", 0.25, None), ("4", 0.75, "7")]
    idle = {"weights", "model", "engine", "refine", "strength", "format", "quality", "judge", "effort"}
    decides = {
        "content": "1",
        "engine": stylebatch.tasks.plan.key.ENGINE,
        "settings": settings.model_dump(exclude=idle) | ({"init": init} if init else {}),
        "styles": styles,
        "weights": "3",
    } | ({"model": model} if model else {})
    wanted = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    assert pair_key("1", styles, init, "3", settings, model) == wanted


def test_content_and_style_are_not_interchangeable() -> None:
    swapped = pair_key("2", [("1", 1.0, None)], None, "3", Settings())
    assert pair_key("1", STYLES, None, "3", Settings()) != swapped


def test_weights_count_by_their_bytes() -> None:
    settings = Settings()
    elsewhere = settings.model_copy(update={"weights": "elsewhere.pth"})
    assert pair_key("1", STYLES, None, "3", elsewhere) == pair_key("1", STYLES, None, "3", settings)
    assert pair_key("1", STYLES, None, "4", settings) != pair_key("1", STYLES, None, "3", settings)


def test_the_engine_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pair_key("1", STYLES, None, "3", Settings())
    monkeypatch.setattr(stylebatch.tasks.plan.key, "ENGINE", stylebatch.tasks.plan.key.ENGINE + 1)
    assert pair_key("1", STYLES, None, "3", Settings()) != before


def test_styles_weights_and_masks_change_the_key(folder: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"style": ["style.png", "start.png"]},
        {"style": ["start.png", "style.png"], "masks": ["style.png", "start.png"]},
        {"style": ["start.png", "style.png"], "masks": ["start.png", "style.png"]},
        {"style": {"style.png": 2, "start.png": 1}},
        {"masks": "start.png"},
    ]
    keys = [key_of(folder, **change) for change in changes]
    assert len(set(keys)) == len(keys)


def test_how_a_blend_is_written_does_not_change_the_key(folder: Path) -> None:
    ways = ["style.png:4 | start.png:2", {"style.png": 2, "start.png": 1}, {"style.png": 1, "start.png": "0.5"}]
    assert len({key_of(folder, style=way) for way in ways}) == 1
    assert key_of(folder, style=["style.png"]) == key_of(folder, style={"style.png": 7}) == key_of(folder)


def test_a_job_knows_its_styles_and_masks(folder: Path) -> None:
    (job,) = jobs_of(folder, {**PAIR, "style": {"style.png": 3, "start.png": 1}, "masks": ["content.png", "start.png"]})
    style, start, content = (folder / f"{name}.png" for name in ("style", "start", "content"))
    assert [(one.path, one.weight, one.mask) for one in job.styles] == [(style, 0.75, content), (start, 0.25, start)]
    assert job.style_sha256 == f"{sha256_of(style)}+{sha256_of(start)}"
    assert job.masks_sha256 == f"{sha256_of(content)}+{sha256_of(start)}"
    assert job.style_name == "style.png:3 | start.png:1"
    assert job.id.startswith("content-style-start-")
    columns = [column for column, _ in job.pictures]
    assert columns == ["content", "style", "style", "masks", "masks"]


@pytest.mark.parametrize("name", ["content.png", "style.png", "start.png"])
def test_the_bytes_of_each_picture_change_the_key(name: str, folder: Path) -> None:
    before = key_of(folder, init="start.png")
    Image.new("RGB", (40, 30), "red").save(folder / name)
    assert key_of(folder, init="start.png") != before


def test_where_a_picture_lies_does_not_change_the_key(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("content", "style", "start"):
        shutil.copy(folder / f"{name}.png", elsewhere / f"other-{name}.png")
    before = key_of(folder, init="start.png")
    moved = {"content": "other-content.png", "style": "other-style.png", "init": "other-start.png"}
    assert key_of(elsewhere, **moved) == before
    assert key_of(elsewhere, **{**moved, "content": str(folder / "content.png")}) == before
    assert key_of(folder, init="start.png", id="another id") == before


def test_how_a_setting_is_written_does_not_change_the_key(folder: Path) -> None:
    assert key_of(folder, size="512", style_layers="relu2_1, relu1_1:1") == key_of(
        folder, size=512.0, style_layers={"relu1_1": 1, "relu2_1": 1.0}
    )


def test_auto_precision_is_resolved(folder: Path) -> None:
    auto, left_out, explicit = jobs_of(
        folder,
        {**PAIR, "precision": "auto"},
        {**PAIR, "precision": None},
        {**PAIR, "precision": fastest_precision("cpu")},
    )
    assert auto.settings.precision == fastest_precision("cpu")
    assert auto.key == left_out.key == explicit.key


def test_a_job_knows_its_pictures(folder: Path) -> None:
    with_start, without = jobs_of(folder, {**PAIR, "init": "start.png"}, PAIR)
    files = (("content", "content"), ("style", "style"), ("init", "start"))
    assert with_start.pictures == [(column, folder / f"{name}.png") for column, name in files]
    assert with_start.content_sha256 == sha256_of(folder / "content.png")
    assert with_start.style_sha256 == sha256_of(folder / "style.png")
    assert with_start.init_sha256 == sha256_of(folder / "start.png")
    assert with_start.weights_sha256 == sha256_of(bundled_weights())
    assert with_start.weights == bundled_weights()
    assert (with_start.content_name, with_start.style_name) == ("content.png", "style.png")
    assert without.pictures == [("content", folder / "content.png"), ("style", folder / "style.png")]
    assert without.masks_sha256 is None
    assert without.init_sha256 is None


def test_regions_of_a_diagram_are_masks_by_their_names(folder: Path) -> None:
    blend = {**PAIR, "style": "style.png | start.png"}
    first, other = jobs_of(folder, {**blend, "masks": "voronoi:2:a"}, {**blend, "masks": "voronoi:2:b"})
    assert [style.mask for style in first.styles] == [Cell(1, 2, "a"), Cell(2, 2, "a")]
    assert [name for name, _ in first.pictures] == ["content", "style", "style"]
    assert first.masks_sha256 != other.masks_sha256
    assert first.key != other.key
    (bad,) = check_rows(Manifest(folder / "rows.csv", [{**blend, "masks": "voronoi:3:a"}]), {})[1]
    assert bad.message == "masks: 3 for 2 in style; give each style its mask, in the same order"


# Ids


def test_equal_pairs_have_one_key_and_ids_of_their_own(folder: Path) -> None:
    jobs = jobs_of(folder, PAIR, PAIR, {**PAIR, "id": "named"}, PAIR)
    assert len({job.key for job in jobs}) == 1
    assert len({job.id for job in jobs}) == 4
    first = f"content-style-{jobs[0].key[:8]}"
    assert [job.id for job in jobs] == [first, f"{first}-2", "named", f"{first}-3"]


def test_a_derived_id_gives_way_to_a_given_one(folder: Path) -> None:
    (alone,) = jobs_of(folder, PAIR)
    derived, given = jobs_of(folder, PAIR, {**PAIR, "id": alone.id.upper()})
    assert given.id == alone.id.upper()
    assert derived.id.casefold() != given.id.casefold()


def test_an_id_does_not_depend_on_the_other_rows(folder: Path) -> None:
    (alone,) = jobs_of(folder, PAIR)
    _, second = jobs_of(folder, {**PAIR, "size": 64}, PAIR)
    assert second.id == alone.id


@pytest.mark.parametrize("stem", ["CON", "Ünïcode", "写真", ".hidden", "a  b (1)…", "x" * 200, "-", "a.b.", "nul.a"])
def test_derived_ids_are_safe(stem: str, folder: Path) -> None:
    names = {"content": f"{stem}.png", "style": f"{stem}-.png"}
    for name in names.values():
        shutil.copy(folder / "content.png", folder / name)
    (job,) = jobs_of(folder, {**PAIR, **names})
    assert job.id.isascii()
    # An id that the manifest's own check lets through, were it given.
    (again,) = jobs_of(folder, {**PAIR, **names, "id": job.id})
    assert again.id == job.id


def test_derived_ids_keep_what_tells_long_names_apart(folder: Path) -> None:
    stems = [f"{'the-museums-inventory-of-landscapes-' * 4}scan-{number}" for number in range(3)]
    for stem in stems:
        shutil.copy(folder / "content.png", folder / f"{stem}.png")
    jobs = jobs_of(folder, *({**PAIR, "content": f"{stem}.png"} for stem in stems))
    assert [f"-scan-{number}-style-" in job.id for number, job in enumerate(jobs)] == [True] * 3
    (blended,) = jobs_of(folder, {**PAIR, "content": f"{stems[0]}.png", "style": [f"{stem}.png" for stem in stems]})
    assert "-scan-0-the-museum" in blended.id
    assert "-scan-2-" in blended.id


def test_a_key_within_an_id_is_the_pairs(folder: Path) -> None:
    first, larger = jobs_of(folder, {**PAIR, "id": "beach/a-{key}"}, {**PAIR, "id": "beach/a-{key}", "size": 64})
    assert [job.id for job in (first, larger)] == [f"beach/a-{job.key[:8]}" for job in (first, larger)]
    _, (bad,) = attempt(folder, {**PAIR, "id": "a-{key}"}, {**PAIR, "id": "A-{key}"})
    assert re.fullmatch(r"id: 'A-[0-9a-f]{8}' is another row's already, which asks for the same picture", bad.message)


# Pictures that are no longer what the check saw


@pytest.mark.parametrize(
    "column",
    [
        "content",
        "style",
        "masks",
        pytest.param("init"),
    ],
)
def test_a_picture_that_has_gone_costs_its_row_alone(column: str, folder: Path) -> None:
    shutil.copy(folder / "content.png", folder / "going.png")
    row = {**PAIR, "init": "start.png", column: "going.png", "id": "x"}
    manifest = Manifest(folder / "rows.csv", [PAIR, row, PAIR])
    pairs, _ = check_rows(manifest, {})
    (folder / "going.png").unlink()
    jobs, (bad,) = make_jobs(manifest, pairs, Slot("cpu"))
    assert [job.row for job in jobs] == [1, 3]
    assert (bad.row, bad.id) == (2, "x")
    ((found, message),) = bad.problems
    assert found == column
    assert "going.png" in message


@pytest.mark.parametrize("column", ["content", "style", "masks", "init"])
def test_a_picture_that_is_cut_off_costs_its_rows_alone(column: str, folder: Path) -> None:
    Image.effect_noise((200, 200), 90).save(folder / "cut.jpg")
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    row = {**PAIR, "init": "start.png", column: "cut.jpg"}
    jobs, bad_rows, sizes = check_decoding(jobs_of(folder, row, PAIR, {**row, "id": "x"}))
    assert sizes[jobs[0].content] == load_picture(jobs[0].content).size
    assert [job.row for job in jobs] == [2]
    assert [bad.row for bad in bad_rows] == [1, 3]
    assert bad_rows[1].id == "x"
    for bad in bad_rows:
        ((found, message),) = bad.problems
        assert found == column
        assert "cut.jpg is truncated" in message
