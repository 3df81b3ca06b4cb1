"""A finished run for MLflow: what its pictures are worth, its loss curve, report and grids."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.gallery.summary import NUMBERS, Summary
from stylebatch.tasks.runs.run_folder import read_curves
from stylebatch.tasks.storage.files import exists, names_in, read_bytes
from stylebatch.tasks.storage.places import Place, without_secrets

FILES = ("report.parquet", "traces.parquet", "run.json")
TRIES = "3"  # MLflow's own number takes minutes to tell of a server that is not there
AT_ONCE = 1000  # as many metrics as MLflow takes in one request


def log_run(folder: Place, summary: Summary, server: str) -> str:
    """Log a run under the name of its folder: metrics, tags, files, and the mean loss at each step where it was traced.

    Args:
        summary: of the report that is in the folder.
        server: MLflow's tracking URI; user and password are MLflow's own variables in the environment.

    Returns:
        The id that MLflow gives it.

    Raises:
        BadRequest: the package is missing, or MLflow refuses, or does not answer.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", TRIES)
    try:
        import mlflow
    except ImportError:
        raise BadRequest("--mlflow needs one more package: pip install 'stylebatch[mlflow]'") from None
    mlflow.set_tracking_uri(server)
    try:
        with mlflow.start_run(run_name=folder.name, tags={"stylebatch.out": without_secrets(str(folder))}) as run:
            mlflow.log_metrics(_means(summary))
            now = int(time.time() * 1000)
            curve = [mlflow.entities.Metric("loss", loss, now, step) for step, loss in _mean_curve(folder).items()]
            for start in range(0, len(curve), AT_ONCE):
                mlflow.MlflowClient().log_batch(run.info.run_id, curve[start : start + AT_ONCE])
            with TemporaryDirectory() as copies:
                _copy(folder, Path(copies))
                mlflow.log_artifacts(copies)
        return str(run.info.run_id)
    except (mlflow.MlflowException, OSError) as error:
        reason = without_secrets(str(error)).partition("\n")[0]
        raise BadRequest(f"MLflow at {without_secrets(server)} did not take the run: {reason}") from None


def _means(summary: Summary) -> dict[str, float]:
    values = {name: [value for group in summary.groups for value in group.numbers[name]] for name in NUMBERS}
    means = {name: fmean(found) for name, found in values.items() if found}
    return means | {"pictures": sum(group.count for group in summary.groups), "failed": summary.failed}


def _mean_curve(folder: Place) -> dict[int, float]:
    """The loss by step, over the pictures that have this step."""
    losses: dict[int, list[float]] = defaultdict(list)
    for curve in read_curves(folder).values():
        for step, loss in zip(curve["step"], curve["total_loss"], strict=True):
            losses[int(step)].append(loss)
    return {step: fmean(found) for step, found in sorted(losses.items())}


def _copy(folder: Place, target: Path) -> None:
    (target / "grids").mkdir()
    for name in (*FILES, *(f"grids/{name}" for name in sorted(names_in(folder / "grids")))):
        if exists(folder / name):
            (target / name).write_bytes(read_bytes(folder / name))
