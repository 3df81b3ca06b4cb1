"""What MLflow gets of a run: by a real server on loopback, as its own client reads it back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pandas as pd
import pytest

from stylebatch.flows.stylize import stylize
from tests.command import call
from tests.waiting import FUSE, wait_for

pytestmark = pytest.mark.slow  # the server alone takes some ten seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "files")]
    command = [sys.executable, "-m", "mlflow", "server", *store, "--port", str(port), "--workers", "1"]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=environment, start_new_session=True)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urlopen(f"{url}/health", timeout=FUSE) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_for(answers, "MLflow's server answers", process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it has children, which it does not end
        process.wait(timeout=FUSE)


@pytest.mark.usefixtures("prefect", "restored_process")
def test_a_run_is_found_there_with_its_figures_curve_and_grids(server: str, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "my run"
    stylize(manifest, out, trace=True)
    result = call("report", out, "--mlflow", server)
    assert result.exit_code == 0, result.output
    from mlflow import MlflowClient

    client = MlflowClient(server)
    (run,) = client.search_runs(["0"])
    assert run.info.run_name == "my run"
    assert run.info.status == "FINISHED"
    assert run.info.run_id in result.output
    report = pd.read_parquet(out / "report.parquet")
    assert run.data.metrics["style_distance"] == pytest.approx(report["style_distance"].mean())
    assert (run.data.metrics["pictures"], run.data.metrics["failed"]) == (2, 0)
    curve = client.get_metric_history(run.info.run_id, "loss")
    traced = pd.read_parquet(out / "traces.parquet").groupby("step")["total_loss"].mean()
    assert [point.step for point in curve] == list(traced.index)
    assert [point.value for point in curve] == pytest.approx(list(traced), rel=1e-3)
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"report.parquet", "traces.parquet", "run.json", "grids"} <= kept
    assert {file.path for file in client.list_artifacts(run.info.run_id, "grids")} == {
        f"grids/{file.name}" for file in (out / "grids").iterdir()
    }


@pytest.mark.usefixtures("prefect", "restored_process")
def test_a_server_that_is_not_there_is_told_in_a_sentence(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stylize(manifest, tmp_path / "out", grids=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = call("report", tmp_path / "out", "--mlflow", "http://me:hunter2@127.0.0.1:9")
    assert result.exit_code == 2
    assert "did not take the run" in result.output
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output
