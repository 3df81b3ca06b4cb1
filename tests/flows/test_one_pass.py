"""Runs whose pictures a network paints in one pass."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from prefect.client.orchestration import get_client

from stylebatch.flows.stylize import stylize
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.runs.report import far_from_training
from stylebatch.tasks.storage.files import names_in

pytestmark = pytest.mark.usefixtures("prefect", "no_grids")
SMALL: dict[str, str | int | float] = {"size": 64, "precision": "float32"}


def write_manifest(folder: Path, samples: Path, model: Path, **settings: object) -> Path:
    document = {
        "defaults": {**SMALL, "engine": "feedforward", "model": str(model), **settings},
        "contents": [f"{samples}/images/{name}.jpg" for name in ("chelsea", "coffee")],
        "styles": f"{samples}/styles/swirls.jpg",
    }
    path = folder / "painted.yaml"
    path.write_text(json.dumps(document))  # which is YAML too
    return path


def test_a_run_paints_in_one_pass_what_goes_together(small_network: Path, tmp_path: Path, samples: Path) -> None:
    out = tmp_path / "out"
    manifest = write_manifest(tmp_path, samples, small_network)
    outcomes = stylize(manifest, out)
    assert [outcome.status for outcome in outcomes] == ["completed"] * 2
    report = pd.read_parquet(out / "report.parquet")
    assert list(report["steps"]) == [0] * 2
    assert report["optimizer_loss"].isna().all()
    assert report["total_loss"].is_unique
    for row in report.itertuples():
        assert Image.open(out / str(row.output)).size == (row.width, row.height)
    with get_client(sync_client=True) as client:
        names = {run.name for run in client.read_task_runs() if run.name.endswith("in one pass")}
    assert any(outcome.id in name for outcome in outcomes for name in names)
    assert [outcome.status for outcome in stylize(manifest, out)] == ["cached"] * 2


def test_a_photograph_that_is_cut_off_costs_its_row_and_the_chunk_goes_on(
    small_network: Path, tmp_path: Path, samples: Path
) -> None:
    for name in ("chelsea", "coffee", "rocket"):
        data = (samples / f"images/{name}.jpg").read_bytes()
        (tmp_path / f"{name}.jpg").write_bytes(data[:-5000] if name == "coffee" else data)
    manifest = write_manifest(tmp_path, samples, small_network)
    document = {**json.loads(manifest.read_text()), "contents": "*.jpg"}
    manifest.write_text(json.dumps(document))
    chelsea, coffee, rocket = stylize(manifest, tmp_path / "out")
    assert (chelsea.status, coffee.status, rocket.status) == ("completed", "failed", "completed")
    assert (coffee.error_type, coffee.attempts) == ("BadInput", 1)
    assert "coffee.jpg is truncated or damaged" in str(coffee.error)
    records = [name for name in names_in(Store(tmp_path / "out").records) if not name.startswith(".")]
    assert [Path(name).suffix for name in records] == [".parquet"], "one file for all of them"


def test_painted_together_or_alone_is_the_same_picture(small_network: Path, tmp_path: Path, samples: Path) -> None:
    manifest = write_manifest(tmp_path, samples, small_network)
    together = {one.id: one.record for one in stylize(manifest, tmp_path / "together")}
    single = tmp_path / "single.csv"
    style, settings = f"{samples}/styles/swirls.jpg", f"64,float32,feedforward,{small_network}"
    single.write_text(f"content,style,size,precision,engine,model\n{samples}/images/chelsea.jpg,{style},{settings}\n")
    (alone,) = stylize(single, tmp_path / "alone")
    assert alone.record
    other = together[alone.id]
    assert other
    assert alone.record.key == other.key
    assert alone.record.total_loss == pytest.approx(other.total_loss, rel=1e-3)


@pytest.mark.slow
def test_the_losses_are_those_of_the_written_picture(small_network: Path, tmp_path: Path, samples: Path) -> None:
    """An optimizer that begins at the written picture sees, at its first step, what the report says of it."""
    out = tmp_path / "out"
    painted = stylize(write_manifest(tmp_path, samples, small_network), out)[0]
    assert painted.record
    assert painted.output
    row = tmp_path / "row.csv"
    row.write_text(
        f"content,style,size,precision,init,steps\n"
        f"{samples}/images/chelsea.jpg,{samples}/styles/swirls.jpg,64,float32,{out / painted.output},1\n"
    )
    (optimized,) = stylize(row, tmp_path / "optimized")
    assert optimized.record
    assert optimized.record.optimizer_loss == pytest.approx(painted.record.total_loss, rel=1e-4)


def test_refining_lowers_the_loss_and_is_another_key(small_network: Path, tmp_path: Path, samples: Path) -> None:
    painted = stylize(write_manifest(tmp_path, samples, small_network), tmp_path / "painted")
    refined = stylize(write_manifest(tmp_path, samples, small_network, refine=4), tmp_path / "refined")
    for before, after in zip(painted, refined, strict=True):
        assert before.record
        assert after.record
        assert after.record.steps == 4
        assert (after.record.total_loss or 0) < (before.record.total_loss or 0)
        assert after.record.key != before.record.key


@pytest.mark.slow
def test_another_network_is_another_key_and_optimizing_does_not_ask_for_one(
    small_network: Path, tuned_network: Path, tmp_path: Path, samples: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(small_network.read_bytes())
    keys = []
    for network in (small_network, copy, tuned_network):
        outcomes = stylize(write_manifest(tmp_path, samples, network), tmp_path / network.stem)
        keys.append([outcome.record.key for outcome in outcomes if outcome.record])
    assert keys[0] == keys[1], "a network counts by its bytes, wherever it lies"
    assert not set(keys[0]) & set(keys[2])
    optimized = [
        stylize(write_manifest(tmp_path, samples, network), tmp_path / "optimized", {"engine": "optimize", "steps": 1})
        for network in (small_network, tmp_path / "gone.safetensors")
    ]
    assert [one.status for one in optimized[0]] == ["completed"] * 2
    assert [one.status for one in optimized[1]] == ["cached"] * 2


def test_what_a_network_cannot_do_costs_its_rows_alone(tuned_network: Path, tmp_path: Path, samples: Path) -> None:
    chelsea, swirls, glass = (
        samples / name for name in ("images/chelsea.jpg", "styles/swirls.jpg", "styles/glass.jpg")
    )
    (tmp_path / "torn.safetensors").write_bytes(tuned_network.read_bytes()[:5000])
    model = str(tuned_network)
    good = {"content": str(chelsea), "style": str(swirls), "engine": "feedforward", "model": model, **SMALL}
    rows = [
        good,
        {**good, "style": str(glass)},
        {**good, "style": [str(swirls), str(glass)]},
        {**good, "model": "gone.safetensors"},
        {**good, "model": "torn.safetensors"},
        {**good, "preserve_color": "luminance"},
        {**good, "size": 112},
    ]
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    outcomes = stylize(manifest, tmp_path / "out")
    assert [one.status for one in outcomes] == ["completed", *["failed"] * 4, *["completed"] * 2]
    assert far_from_training(outcomes) == [outcomes[-1].id]
    wanted = [
        "model: swirls.safetensors is tuned to another style, swirls.jpg",
        "model: swirls.safetensors is tuned to another style, swirls.jpg",
        "model: there is no file 'gone.safetensors' in ",
        "model: torn.safetensors is damaged",
    ]
    for outcome, text in zip(outcomes[1:5], wanted, strict=True):
        assert text in (outcome.error or "")
        assert outcome.error_type == "BadInput"
