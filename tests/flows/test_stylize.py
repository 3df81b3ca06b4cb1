"""The flow against a real Prefect server: fan-out, caching, failures, retries, and what it leaves behind."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.stylize import stylize
from stylebatch.tasks.devices.leases import Leases
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan import batches
from stylebatch.tasks.plan.jobs import Job
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.runs.status import read_status
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing import objective, pair_task
from stylebatch.tasks.stylizing import stylize as step

pytestmark = pytest.mark.usefixtures("prefect")


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_a_run_writes_everything_and_the_next_one_nothing(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert statuses(stylize(manifest, out)) == ["completed", "completed"]
    report = pd.read_parquet(out / "report.parquet")
    assert [Image.open(out / output).size for output in report["output"]] == [(64, 43), (64, 43)]
    assert (out / "grids/grid-001.png").is_file()
    assert json.loads((out / "run.json").read_text())["counts"] == {"completed": 2, "cached": 0, "failed": 0}
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}

    objective.load_encoder.cache_clear()
    assert statuses(stylize(manifest, out)) == ["cached", "cached"]
    assert objective.load_encoder.cache_info().misses == 0, "the network was loaded for nothing"
    assert before == {path: path.stat().st_mtime_ns for path in before}
    again = pd.read_parquet(out / "report.parquet")
    pd.testing.assert_frame_equal(again.drop(columns="status"), report.drop(columns="status"))


@pytest.mark.slow
def test_refresh_and_new_settings_compute_again_and_traces_are_kept_on_request(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    one, two = {"steps": "1"}, {"steps": "2"}
    stylize(manifest, out, one)
    assert not (out / "traces.parquet").exists()
    assert statuses(stylize(manifest, out, one, refresh=True)) == ["completed", "completed"]
    outcomes = stylize(manifest, out, two, trace=True)
    assert statuses(outcomes) == ["completed", "completed"]
    traces = pd.read_parquet(out / "traces.parquet")
    assert list(traces["id"]) == [outcome.id for outcome in outcomes for _ in range(2)]
    assert list(traces["step"]) == [1, 2, 1, 2]
    assert "style_loss_relu3_1" in traces
    assert statuses(stylize(manifest, out, two, trace=True)) == ["cached", "cached"]
    pd.testing.assert_frame_equal(pd.read_parquet(out / "traces.parquet"), traces)
    assert statuses(stylize(manifest, out, one)) == ["cached", "cached"]


def test_a_record_whose_picture_is_gone_or_altered_is_not_a_hit(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, second = stylize(manifest, out)
    assert first.record
    assert second.record
    store = Store(out)
    store.picture(first.record.key, "png").unlink()
    with store.picture(second.record.key, "png").open("ab") as file:
        file.write(b"altered")
    again = stylize(manifest, out)
    assert statuses(again) == ["completed", "completed"]
    for before, after in zip((first, second), again, strict=True):
        assert before.record
        assert after.record
        assert after.output
        assert after.record.finished_at > before.record.finished_at, "taken from the cache"
        for picture in (store.picture(after.record.key, "png"), out / after.output):
            assert sha256_of(picture) == after.record.output_sha256 == before.record.output_sha256


def test_a_bad_row_costs_only_itself_and_rows_with_equal_keys_are_computed_once(tmp_path: Path, samples: Path) -> None:
    whole = (samples / "images/coffee.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    rows = [
        ("good", f"{samples}/images/coffee.jpg", 64),
        ("missing", "nowhere.jpg", 64),
        ("cut", "cut.jpg", 64),
        ("huge", f"{samples}/images/coffee.jpg", 10**6),
        ("last", f"{samples}/images/rocket.jpg", 64),
        ("twin", f"{samples}/images/coffee.jpg", 64),
    ]
    lines = [f"{name},{content},{samples}/styles/glass.jpg,{size},2" for name, content, size in rows]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["id,content,style,size,steps", *lines]))
    outcomes = stylize(path, tmp_path / "out")
    assert statuses(outcomes) == ["completed", "failed", "failed", "failed", "completed", "completed"]
    report = pd.read_parquet(tmp_path / "out/report.parquet").set_index("id")
    assert "there is no file" in str(report.loc["missing", "error"])
    assert "truncated" in str(report.loc["cut", "error"])
    assert str(report.loc["huge", "error"]).startswith("size: ")
    assert set(report["error_type"].dropna()) == {"BadInput"}
    assert list(report["error"].isna()) == [True, False, False, False, True, True]
    assert outcomes[0].record == outcomes[-1].record
    pictures = sorted(path.name for path in (tmp_path / "out/images").iterdir())
    assert pictures == ["good.png", "last.png", "twin.png"]
    assert len(list(Store(tmp_path / "out").records.iterdir())) == 2


def test_a_transient_fault_is_tried_again_and_one_that_stays_fails_its_row_alone(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    fault = OSError(5, "Input/output error")
    faults: dict[int, list[Exception]] = {1: [fault] * 2, 2: [fault] * 4, 3: [ValueError("no")]}

    def faulty(job: Job, store: Store, leases: Leases, *options: bool) -> Record:
        calls.append(job.row)
        if faults.get(job.row):
            raise faults[job.row].pop()
        return real(job, store, leases, *options)

    real = step.stylize
    monkeypatch.setattr(step, "stylize", faulty)
    monkeypatch.setattr(batches, "IN_COMPANY", {"float32": 0, "bfloat16": 0, "cuda": 0})
    # The waiting is Prefect's: shorter here, or the test would take seconds.
    monkeypatch.setattr(pair_task.stylize_pair, "retry_delay_seconds", [0.1, 0.1, 0.1])
    manifest.write_text(manifest.read_text() + "sweep: {seed: [0, 1]}\n")
    first, second, third, fourth = stylize(manifest, tmp_path / "out")
    assert first.record
    assert first.record.attempts == 3
    assert (second.status, second.error_type, second.error, second.attempts) == (
        "failed",
        "OSError",
        "Input/output error",
        4,
    )
    assert (third.status, third.error_type, third.error, third.attempts) == ("failed", "ValueError", "no", 1)
    assert fourth.record
    assert fourth.record.attempts == 1
    assert [calls.count(row) for row in (1, 2, 3, 4)] == [3, 4, 1, 1]
    assert list(pd.read_parquet(tmp_path / "out/report.parquet")["attempts"]) == [3, 4, 1, 1]
    assert len(list(Store(tmp_path / "out").records.iterdir())) == 2, "only records lie in the store"


def test_a_run_that_is_evidently_broken_ends_early(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def faulty(job: Job, *_: object) -> Record:
        calls.append(job.row)
        raise ValueError("no")

    monkeypatch.setattr(step, "stylize", faulty)
    monkeypatch.setattr(batches, "IN_COMPANY", {"float32": 0, "bfloat16": 0, "cuda": 0})
    manifest.write_text(manifest.read_text() + f"sweep: {{seed: {list(range(10))}}}\n")
    outcomes = stylize(manifest, tmp_path / "out", max_failures=2)
    assert statuses(outcomes) == ["failed", "failed"]
    assert len(calls) <= 4, "no more than were handed out by then"
    assert read_status(tmp_path / "out").remaining == 18


@pytest.mark.usefixtures("alone")
def test_prefect_knows_the_pairs_and_the_summary(manifest: Path, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    outcomes = stylize(manifest, tmp_path / "out")
    with get_client(sync_client=True) as client:
        tasks = {run.name for run in client.read_task_runs()}
        artifacts = {
            key: client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
            for key in ("stylebatch-pairs-summary", "stylebatch-pairs-progress", "stylebatch-pairs-grid")
        }
    assert {outcome.id for outcome in outcomes} <= tasks
    table = max(artifacts["stylebatch-pairs-summary"], key=lambda artifact: str(artifact.created))
    assert {(row["row"], row["id"]) for row in json.loads(str(table.data))} == {(one.row, one.id) for one in outcomes}
    grid = max(artifacts["stylebatch-pairs-grid"], key=lambda artifact: str(artifact.created))
    kind, _, data = str(grid.data).partition(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).width > 100
    progress = max(artifacts["stylebatch-pairs-progress"], key=lambda artifact: str(artifact.created))
    assert progress.data == 100


def test_an_impossible_request_writes_nothing(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="did you mean 'steps'"):
        stylize(manifest, tmp_path / "out", {"stepps": "3"})
    with pytest.raises(BadRequest, match="there is no manifest"):
        stylize(tmp_path / "none.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadRequest, match="it is a file; give a folder"):
        stylize(manifest, tmp_path / "file")
