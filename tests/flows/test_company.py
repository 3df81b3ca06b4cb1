"""Runs whose pairs are optimized in company: each row is what it is alone, in report, cache and failure."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from prefect.client.orchestration import get_client

from stylebatch.flows.stylize import stylize
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.plan import batches
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage.files import names_in
from stylebatch.tasks.stylizing import stylize as step

pytestmark = pytest.mark.usefixtures("prefect", "no_grids")


@pytest.fixture(autouse=True)
def gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with bfloat16, where company gains something; float32 tells more exactly whether it changes anything."""
    monkeypatch.setattr(batches, "IN_COMPANY", {"float32": batches.IN_COMPANY["bfloat16"]})


@pytest.mark.slow
def write_manifest(folder: Path, samples: Path, **settings: object) -> Path:
    document = {
        "defaults": {"size": 48, "steps": 2, "precision": "float32", "judge": 0, **settings},
        "contents": [f"{samples}/images/{name}.jpg" for name in ("chelsea", "coffee")],
        "styles": [f"{samples}/styles/{name}.jpg" for name in ("swirls", "glass")],
    }
    path = folder / "pairs.yaml"
    path.write_text(json.dumps(document))  # which is YAML too
    return path


@pytest.mark.slow
def test_rows_in_company_are_what_they_are_alone(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path, samples)
    together = stylize(manifest, tmp_path / "together", trace=True)
    assert [one.status for one in together] == ["completed"] * 4
    with get_client(sync_client=True) as client:
        names = {run.name for run in client.read_task_runs()}
    assert any(name.endswith("and 3 more, in company") for name in names)
    records = [name for name in names_in(Store(tmp_path / "together").records) if not name.startswith(".")]
    assert [Path(name).suffix for name in records] == [".parquet"], "one file for all of them"
    assert pd.read_parquet(tmp_path / "together/traces.parquet").groupby("id").size().tolist() == [2] * 4
    assert [one.status for one in stylize(manifest, tmp_path / "together")] == ["cached"] * 4

    monkeypatch.setattr(batches, "IN_COMPANY", {"float32": 0, "bfloat16": 0, "cuda": 0})
    alone = stylize(manifest, tmp_path / "alone")
    for one, other in zip(together, alone, strict=True):
        assert one.record
        assert other.record
        assert (one.id, one.record.key, one.record.attempts) == (other.id, other.record.key, 1)
        assert one.record.total_loss == pytest.approx(other.record.total_loss, rel=1e-3)


def test_a_row_that_fails_fails_alone_with_its_own_error(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = step.start_picture

    def failing(job: Job, *arguments: object) -> object:
        if "glass" in job.style_name and "coffee" in job.content_name:
            raise BadInput("style: glass cannot be made of coffee")
        return real(job, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(step, "start_picture", failing)
    outcomes = stylize(write_manifest(tmp_path, samples), tmp_path / "out")
    assert sorted(one.status for one in outcomes) == ["completed"] * 3 + ["failed"]
    (failed,) = (one for one in outcomes if one.status == "failed")
    assert (failed.error, failed.error_type, failed.attempts) == (
        "style: glass cannot be made of coffee",
        "BadInput",
        1,
    )
