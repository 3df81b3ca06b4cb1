"""One pair, as a plain function: what the record says is true of the file, and every setting does something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageOps

from stylebatch.tasks.devices.leases import Pool
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.ground import ground, statistics
from stylebatch.tasks.nst.guidance import guided_gram, regions_at
from stylebatch.tasks.nst.losses import gram_matrix
from stylebatch.tasks.nst.weights import bundled_weights
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing import objective
from stylebatch.tasks.stylizing.objective import to_tensor
from stylebatch.tasks.stylizing.stylize import is_transient, on_ground, stylize

CPU = Pool([Slot("cpu")])

ROOT = Path(__file__).parents[3]


def make_job(samples: Path, **settings: object) -> Job:
    row = {"content": "images/coffee.jpg", "style": "styles/swirls.jpg", "size": 64, "steps": 4, **settings}
    manifest = Manifest(samples / "test.yaml", [row])
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    return job


def pixels(store: Store, job: Job) -> np.ndarray:
    return np.asarray(Image.open(store.picture(job.key, job.settings.format)))


@pytest.mark.parametrize(
    "settings",
    [{}, {"format": "jpeg", "quality": 20}, {"format": "webp", "quality": 20}, {"scales": 2}],
    ids=str,
)
def test_the_losses_are_those_of_the_written_file(tmp_path: Path, samples: Path, settings: dict[str, object]) -> None:
    job, store = make_job(samples, tv_weight=0.5, **settings), Store(tmp_path)
    record = stylize(job, store, CPU)
    original = load_picture(job.content)
    contents = [to_tensor(resize(original, size), "cpu") for size in ((32, 64) if "scales" in settings else (64,))]
    written = torch.from_numpy(pixels(store, job).copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        losses = objective.make_objective(job, contents, "float32", "cpu")(written)
    assert record.total_loss == pytest.approx(losses.total.item(), rel=1e-6)
    assert record.content_loss == pytest.approx(losses.content.item(), rel=1e-6)
    assert record.tv_loss == pytest.approx(losses.tv.item(), rel=1e-6)
    assert record.content_loss is not None
    assert record.style_loss is not None
    assert record.tv_loss
    assert record.style_loss == pytest.approx(sum(record.style_loss_by_layer.values()))
    assert record.total_loss == pytest.approx(record.content_loss + record.style_loss + record.tv_loss)
    assert list(record.style_loss_by_layer) == [f"relu{block}_1" for block in range(1, 6)]
    assert (record.width, record.height, record.steps) == (64, 43, 4)


def test_a_lower_quality_is_a_smaller_file_and_a_larger_loss(tmp_path: Path, samples: Path) -> None:
    store = Store(tmp_path)
    jobs = [make_job(samples, format="jpeg", quality=quality, precision="float32") for quality in (95, 20)]
    high, low = (stylize(job, store, CPU) for job in jobs)
    files = [store.picture(job.key, "jpeg") for job in jobs]
    assert [Image.open(file).format for file in files] == ["JPEG", "JPEG"]
    assert files[1].stat().st_size < files[0].stat().st_size / 2
    assert low.optimizer_loss == high.optimizer_loss
    assert (low.total_loss or 0) > (high.total_loss or 0)
    assert (low.style_distance or 0) != (high.style_distance or 0)


@pytest.mark.parametrize("engine", ["optimize", "feedforward"])
def test_the_original_size_is_that_of_the_content_as_it_is_seen(
    tmp_path: Path, samples: Path, small_network: Path, engine: str
) -> None:
    """Upright by its EXIF data, to the pixel, also where the network pads to a multiple of four."""
    photograph = Image.open(samples / "images/coffee.jpg").resize((75, 53))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    photograph.save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "style.jpg").symlink_to(samples / "styles/swirls.jpg")
    painting = {"model": str(small_network), "engine": engine} if engine == "feedforward" else {}
    row = {"content": "turned.jpg", "style": "style.jpg", "size": "original", "steps": 2, "format": "jpeg", **painting}
    manifest = Manifest(tmp_path / "test.yaml", [row])
    pairs, bad_rows = check_rows(manifest, {})
    assert not bad_rows
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    store = Store(tmp_path)
    record = stylize(job, store, CPU)
    assert (record.width, record.height) == (53, 75)
    assert pixels(store, job).shape == (75, 53, 3)
    # The losses are told of the content at its own pixels: a picture that was turned or shifted would have lost it.
    assert record.structure is not None
    assert record.structure > 0.3


def test_the_same_job_gives_the_same_bytes(tmp_path: Path, samples: Path) -> None:
    job = make_job(samples, init="noise", seed=7)
    one, other = (stylize(job, Store(tmp_path / name), CPU) for name in ("one", "other"))
    assert one.output_sha256 == other.output_sha256


# With room for two resolutions.
SMALL = {"size": 48, "steps": 2, "precision": "float32", "judge": 0}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> tuple[Job, np.ndarray]:
    """A job, and the pixels of its picture."""
    job, store = make_job(samples, **SMALL), Store(tmp_path_factory.mktemp("usual"))
    stylize(job, store, CPU)
    return job, pixels(store, job)


# Network and weights: tests/tasks/networks/test_weights.py.
@pytest.mark.parametrize(
    "change",
    [
        {"steps": 3},
        {"preset": "gatys2016"},
        {"objective": "classic"},
        {"content_weight": 3.0},
        {"style_weight": 0.3},
        {"tv_weight": 100.0},
        {"tv_weight": 100.0, "tv_power": 2},
        {"preserve_color": "luminance"},
        {"preserve_color": "match"},
        {"pooling": "average"},
        {"tolerance": 0.99, "steps": 12},
        {"content_layers": "relu3_1"},
        {"content_layers": "relu4_2:50"},
        {"style_layers": "relu1_1, relu2_1"},
        {"style_layers": "relu1_1:9, relu2_1, relu3_1, relu4_1, relu5_1"},
        {"style_scale": 0.5},
        {"scales": 2},
        {"init": "noise"},
        {"init": "images/rocket.jpg"},
        {"optimizer": "adam"},
    ],
    ids=str,
)
def test_every_setting_changes_the_picture(
    tmp_path: Path, samples: Path, usual: tuple[Job, np.ndarray], change: dict[str, object]
) -> None:
    base, picture = usual
    other, store = make_job(samples, **{**SMALL, **change}), Store(tmp_path)
    assert base.key != other.key
    stylize(other, store, CPU)
    assert not np.array_equal(picture, pixels(store, other))


@pytest.mark.slow
def test_seed_learning_rate_and_history_do_something_where_they_count(tmp_path: Path, samples: Path) -> None:
    store = Store(tmp_path)
    for fixed, change in (
        ({"init": "noise"}, {"seed": 1}),
        ({"optimizer": "adam"}, {"learning_rate": 0.1}),
        ({"steps": 10}, {"history": 1}),
    ):
        jobs = make_job(samples, **{**SMALL, **fixed}), make_job(samples, **{**SMALL, **fixed, **change})
        for job in jobs:
            stylize(job, store, CPU)
        assert not np.array_equal(pixels(store, jobs[0]), pixels(store, jobs[1]))


def test_a_resolution_in_which_the_picture_is_too_small_is_left_out(tmp_path: Path, samples: Path) -> None:
    """64x43 px have a shorter side of 21 px at the half, and of 11 at the quarter, which is too small for relu5_1."""
    two, six = (make_job(samples, steps=6, scales=scales) for scales in (2, 6))
    records = [stylize(job, Store(tmp_path), CPU) for job in (two, six)]
    assert [record.steps for record in records] == [6, 6]
    assert records[0].output_sha256 == records[1].output_sha256


def test_a_trace_has_every_step_and_costs_the_picture_nothing(tmp_path: Path, samples: Path) -> None:
    job = make_job(samples, steps=6, scales=2)
    plain, traced = (stylize(job, Store(tmp_path / name), CPU, trace) for name, trace in (("a", False), ("b", True)))
    assert plain.output_sha256 == traced.output_sha256
    assert not Store(tmp_path / "a").trace(job.key).exists()
    curve = pd.read_parquet(Store(tmp_path / "b").trace(job.key))
    assert list(curve["step"]) == [1, 2, 3, 4, 5, 6]
    assert curve["seconds"].is_monotonic_increasing
    assert curve["total_loss"][4:].min() == pytest.approx(traced.optimizer_loss)
    parts = curve["content_loss"] + curve["style_loss"] + curve["tv_loss"]
    assert list(parts) == pytest.approx(list(curve["total_loss"]))
    layers = curve[[f"style_loss_{layer}" for layer in job.settings.style_layers]]
    assert list(layers.sum(axis=1)) == pytest.approx(list(curve["style_loss"]))


def test_size_is_the_longer_side(tmp_path: Path, samples: Path) -> None:
    job, store = make_job(samples, size=80, steps=1), Store(tmp_path)
    record = stylize(job, store, CPU)
    assert pixels(store, job).shape == (record.height, record.width, 3) == (53, 80, 3)


def test_the_network_and_a_style_are_loaded_once(tmp_path: Path, samples: Path) -> None:
    objective.load_encoder.cache_clear()
    objective.load_style.cache_clear()
    store = Store(tmp_path)
    for content in ("images/coffee.jpg", "images/rocket.jpg", "images/chelsea.jpg"):
        stylize(make_job(samples, content=content, steps=1, precision="float32"), store, CPU)
    # The one that judges goes a layer deeper than the one that optimizes.
    assert objective.load_encoder.cache_info().misses == 2
    assert objective.load_style.cache_info().misses == 2


def test_a_picture_that_changed_since_its_key_was_made_is_refused(tmp_path: Path, samples: Path) -> None:
    content = tmp_path / "content.png"
    Image.open(samples / "images/coffee.jpg").save(content)
    job = make_job(samples, content=str(content))
    Image.open(samples / "images/rocket.jpg").save(content)
    with pytest.raises(BadInput, match="was changed while the run was going on"):
        stylize(job, Store(tmp_path), CPU)


def test_transient_faults_are_told_from_bad_input() -> None:
    transient = [OSError(5, "I/O error"), TimeoutError(), torch.OutOfMemoryError(), MemoryError()]
    final = [BadInput("x"), FileNotFoundError(), PermissionError(), ValueError(), RuntimeError()]
    assert all(is_transient(error) for error in transient)
    assert not any(is_transient(error) for error in final)


def test_a_stalled_loss_stops_early_and_the_record_says_when(tmp_path: Path, samples: Path) -> None:
    record = stylize(make_job(samples, steps=40, tolerance=0.99, optimizer="adam"), Store(tmp_path), CPU)
    assert record.steps == 11


def test_preserved_luminance_leaves_the_contents_colors(tmp_path: Path, samples: Path) -> None:
    job, store = make_job(samples, steps=6, preserve_color="luminance"), Store(tmp_path)
    record = stylize(job, store, CPU)
    written = Image.open(store.picture(job.key, "png")).convert("YCbCr")
    content = resize(load_picture(job.content), 64).convert("YCbCr")
    plain = make_job(samples, steps=6)
    stylize(plain, store, CPU)
    free = Image.open(store.picture(plain.key, "png")).convert("YCbCr")

    def distance(one: Image.Image, channels: slice) -> float:
        difference = np.asarray(one)[..., channels].astype(float) - np.asarray(content)[..., channels]
        return float(np.abs(difference).mean())

    chroma, brightness = slice(1, 3), slice(0, 1)
    assert distance(written, chroma) < 0.3 * distance(free, chroma)
    assert distance(written, brightness) > 10
    assert record.total_loss == pytest.approx(record.optimizer_loss, rel=0.25)


def test_the_precision_changes_the_picture(tmp_path: Path, samples: Path) -> None:
    """By the first layers of a small picture: processors without arithmetic for bfloat16 take ten times as long."""
    layers = {"content_layers": "relu2_1", "style_layers": "relu1_1"}
    jobs = [make_job(samples, size=32, steps=2, precision=one, **layers) for one in ("float32", "bfloat16")]
    store = Store(tmp_path)
    for job in jobs:
        stylize(job, store, CPU)
    assert not np.array_equal(pixels(store, jobs[0]), pixels(store, jobs[1]))


# Several styles, and masks

STYLES = ["styles/swirls.jpg", "styles/glass.jpg"]


def gram_distances(picture: torch.Tensor, mask: torch.Tensor) -> list[float]:
    """How far the picture (1, 3, H, W) is from each of `STYLES` within a mask (H, W), at two layers."""
    layers = ("relu2_1", "relu3_1")
    bundled = bundled_weights()
    encoder = objective.load_encoder(frozenset(layers), "float32", "max", "cpu", "vgg19", bundled, sha256_of(bundled))

    def guided(features: torch.Tensor) -> torch.Tensor:
        (region,) = regions_at(mask[None], [1.0], *features.shape[-2:])
        return guided_gram(features, region)

    found = encoder(picture, dict.fromkeys(layers, guided))
    distances = []
    for name in STYLES:
        style = objective.to_tensor(resize(load_picture(ROOT / "manifests" / name), 64), "cpu")
        target = encoder(style, dict.fromkeys(layers, gram_matrix))
        distances.append(sum(((found[layer] - target[layer]) ** 2).mean().item() for layer in layers))
    return distances


def draw_masks(folder: Path) -> list[str]:
    """White on the left, and white on the right; not of the content's size, nor of its shape."""
    left = Image.new("L", (100, 100))
    left.paste(255, (0, 0, 50, 100))
    left.save(folder / "left.png")
    ImageOps.invert(left).save(folder / "right.png")
    return [str(folder / "left.png"), str(folder / "right.png")]


@pytest.mark.parametrize("swapped", [False, True])
def test_each_style_paints_its_own_region(tmp_path: Path, samples: Path, swapped: bool) -> None:
    masks, store = draw_masks(tmp_path), Store(tmp_path)
    job = make_job(samples, style=STYLES, masks=masks[::-1] if swapped else masks, steps=10)
    record = stylize(job, store, CPU)
    picture = objective.to_tensor(load_picture(store.picture(job.key, "png")), "cpu")
    left = torch.zeros(picture.shape[-2:])
    left[:, :24] = 1  # a margin off the border between the two
    (left_swirls, left_glass), (right_swirls, right_glass) = (
        gram_distances(picture, half) for half in (left, left.flip(1))
    )
    assert (left_swirls < left_glass) != swapped
    assert (right_glass < right_swirls) != swapped
    assert record.masks_sha256 == job.masks_sha256


def test_one_style_with_a_mask_leaves_the_rest_to_the_content(tmp_path: Path, samples: Path) -> None:
    masks, store = draw_masks(tmp_path), Store(tmp_path)
    job = make_job(samples, masks=masks[:1], steps=5)
    stylize(job, store, CPU)
    change = np.abs(pixels(store, job).astype(float) - np.asarray(resize(load_picture(job.content), 64)))
    assert change[:, :24].mean() > 2 * change[:, 40:].mean()


def test_a_black_mask_is_no_style_at_all(tmp_path: Path, samples: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "black.png")
    record = stylize(make_job(samples, masks=str(tmp_path / "black.png"), init="noise"), Store(tmp_path), CPU)
    assert record.style_loss == 0
    assert record.content_loss


@pytest.mark.slow
def test_a_blend_lies_between_its_styles(tmp_path: Path, samples: Path) -> None:
    store = Store(tmp_path)
    everywhere = torch.ones(43, 64)
    found = []
    for style in (STYLES[0], {STYLES[0]: 3, STYLES[1]: 1}, STYLES, STYLES[1]):
        job = make_job(samples, style=style, steps=8)
        record = stylize(job, store, CPU)
        assert record.style_sha256.count("+") == len(job.styles) - 1
        found.append(
            gram_distances(objective.to_tensor(load_picture(store.picture(job.key, "png")), "cpu"), everywhere)
        )
    from_swirls, from_glass = ([distances[side] for distances in found] for side in (0, 1))
    assert from_swirls == sorted(from_swirls)
    assert from_glass == sorted(from_glass, reverse=True)


@pytest.mark.slow
def test_colors_are_preserved_in_a_blend(tmp_path: Path, samples: Path) -> None:
    jobs = {
        mode: make_job(samples, style=STYLES, steps=6, preserve_color=mode) for mode in ("none", "match", "luminance")
    }
    store = Store(tmp_path)
    content = np.asarray(resize(load_picture(jobs["none"].content), 64)).mean((0, 1))
    distances = {}
    for mode, job in jobs.items():
        stylize(job, store, CPU)
        distances[mode] = np.abs(pixels(store, job).mean((0, 1)) - content).sum()
    assert distances["match"] < 0.5 * distances["none"]
    assert distances["luminance"] < 0.5 * distances["none"]


def test_the_ground_has_the_contrasts_of_the_style_at_the_size_that_it_is_looked_at(samples: Path) -> None:
    content = to_tensor(resize(Image.open(samples / "images/coffee.jpg"), 64), "cpu")
    style = Image.open(samples / "styles/swirls.jpg")
    found = on_ground(make_job(samples, style_scale=2.0), content)
    torch.testing.assert_close(found, ground(content, statistics(to_tensor(resize(style, 128), "cpu"))).clamp(0, 1))
