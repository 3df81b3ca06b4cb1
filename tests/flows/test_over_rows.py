"""How a run with failed rows ends: in Prefect, in its log and artifacts, and for who called the flow."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from prefect import flow_engine
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State

from stylebatch.flows.over_rows import verdict
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.progress import Pending, Settled, Watcher, watcher
from stylebatch.tasks.runs.report import Outcome, Outcomes
from stylebatch.tasks.runs.status import read_status


@pytest.mark.usefixtures("prefect", "no_grids")
def test_failed_rows_are_seen_in_prefect_under_the_manifests_name(
    tmp_path: Path, samples: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = tmp_path / "Half a night.csv"
    style, good = samples / "styles/glass.jpg", samples / "images/chelsea.jpg"
    manifest.write_text(f"content,style,size,steps\n{good},{style},64,1\nnowhere.jpg,{style},64,1\n")
    logger = logging.getLogger("prefect.flow_runs")
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.WARNING, logger.name)
    try:
        state = stylize(manifest, tmp_path / "out", return_state=True)
    finally:
        logger.removeHandler(caplog.handler)
    assert state.is_failed()
    assert str(state.message).startswith("1 of 2 rows failed; the first of them, row 2 (row-2): content: there is no")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text for text in warnings if text.startswith("row 2 (row-2) failed: content: there is no file")]
    tolerant = stylize(manifest, tmp_path / "out", fail_from=0.6, return_state=True)
    assert (tolerant.is_completed(), str(tolerant.message)[:18]) == (True, "1 of 2 rows failed")
    assert [one.status for one in stylize(manifest, tmp_path / "out")] == ["cached", "failed"], (
        "the caller has them all"
    )
    with get_client(sync_client=True) as client:
        assert state.state_details.flow_run_id
        assert client.read_flow_run(state.state_details.flow_run_id).name == "Half a night"
        key = ArtifactFilterKey(any_=["stylebatch-half-a-night-summary"])
        table = client.read_artifacts(artifact_filter=ArtifactFilter(key=key))[0]
    assert str(table.description).startswith("1 of 2 rows failed")
    first = json.loads(str(table.data))[0]
    assert next(iter(first)) == "error"
    assert "there is no file" in first["error"]


def test_the_share_from_which_a_run_ends_as_failed() -> None:
    def outcomes(failed: int, done: int) -> Outcomes:
        rows = ["failed"] * failed + ["cached"] * done
        return Outcomes(
            Outcome(row, f"row-{row}", "a", "b", "failed" if status == "failed" else "cached", error="is bad")
            for row, status in enumerate(rows, 1)
        )

    assert verdict(outcomes(0, 8), 8, 0).is_completed()
    assert verdict(outcomes(1, 7), 8, 0).is_failed()
    assert str(verdict(outcomes(4, 4), 8, 0).message).startswith(
        "4 of 8 rows failed; the first of them, row 1 (row-1): is"
    )
    assert verdict(outcomes(4, 4), 8, 0.5).is_failed()
    assert verdict(outcomes(3, 5), 8, 0.5).is_completed()
    left = verdict(outcomes(1, 1), 8, 0.5)
    assert left.is_failed(), "rows that nobody came to are not done"
    assert str(left.message).startswith("1 of 8 rows failed, 6 are left")


@pytest.mark.usefixtures("prefect", "no_grids")
def test_who_called_has_the_rows_also_where_the_server_gives_the_state_back_without_them(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does when it is so busy that it is told of the end twice."""
    propose: Any = vars(flow_engine)["propose_state_sync"]

    def from_the_api(*args: Any, **kwargs: Any) -> State[Any]:
        state: State[Any] = propose(*args, **kwargs)
        return state.model_copy(update={"data": None}) if state.is_final() else state

    monkeypatch.setattr(flow_engine, "propose_state_sync", from_the_api)
    assert [one.status for one in stylize(manifest, tmp_path / "out", grids=False)] == ["completed"] * 2


class Remover(Watcher):
    """Removes a run's folder when its first row is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def finished(self, job: Pending, settled: Sequence[Settled]) -> None:
        if self._folder.name:
            shutil.rmtree(self._folder)
            self._folder = Path()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "no_grids")
def test_a_folder_that_is_removed_meanwhile_is_not_full_of_pictures(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    token = watcher.set(Remover(out))
    try:
        outcomes = stylize(manifest, out)
    finally:
        watcher.reset(token)
    for one in outcomes:
        assert (one.status == "completed") == bool(one.output and (out / one.output).exists()), one
    lost = [one for one in outcomes if "was removed while the run was going on; run again" in str(one.error)]
    assert lost
    assert read_status(out).counts["failed"] == sum(one.status == "failed" for one in outcomes)
    assert [one.status for one in stylize(manifest, out)].count("failed") == 0
