"""The deployments of prefect.yaml, by a real server and a real process worker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectHTTPStatusError

from tests.waiting import FUSE, wait_for

ROOT = Path(__file__).parent.parent.parent
PREFECT = [sys.executable, "-m", "prefect"]


@pytest.fixture
def deployed(prefect_server: str, prefect: None, workplace: Path) -> Iterator[SyncPrefectClient]:
    """A client of a server that has the deployments, and a worker for them."""
    shutil.copy(ROOT / "prefect.yaml", workplace)
    environment = os.environ | {"PREFECT_API_URL": prefect_server}
    options = ["--pool", "stylebatch", "--type", "process"]
    worker = subprocess.Popen(
        [*PREFECT, "worker", "start", *options],
        cwd=workplace,
        env=environment | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with get_client(sync_client=True) as client:
            wait_for(client.read_work_pools, "the worker has made its pool", worker)
            deploy = [*PREFECT, "--no-prompt", "deploy", "--all"]
            done = subprocess.run(deploy, cwd=workplace, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            yield client
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def run(deployment: str, **parameters: Any) -> State[Any]:
    flow_run: Any = run_deployment(deployment, parameters=parameters, timeout=FUSE, poll_interval=0.5)
    assert flow_run.state is not None
    state: State[Any] = flow_run.state
    return state


def check_form(deployed: SyncPrefectClient) -> None:
    """The form describes every parameter, and the server refuses what does not fit."""
    for name, unfit in (
        ("stylize", {"max_failures": "many"}),
        ("reprocess", {"failed": "perhaps"}),
        ("gallery", {"run_dirs": 3}),
    ):
        deployment = deployed.read_deployment_by_name(f"{name}/{name}")
        schema: dict[str, Any] = dict(deployment.parameter_openapi_schema or {})
        assert all(parameter.get("description") for parameter in schema["properties"].values()), schema
        assert deployment.concurrency_options
        assert deployment.concurrency_options.collision_strategy.value == "ENQUEUE"
        assert deployment.global_concurrency_limit
        assert deployment.global_concurrency_limit.limit == 1
        with pytest.raises(PrefectHTTPStatusError, match="Validation failed"):
            deployed.create_flow_run_from_deployment(UUID(str(deployment.id)), parameters=unfit)


@pytest.mark.slow  # Prefect's own processes, each of which imports all anew
def test_every_deployment_is_carried_out_by_a_worker(
    deployed: SyncPrefectClient, manifest: Path, tmp_path: Path
) -> None:
    check_form(deployed)
    out = tmp_path / "out"
    settings = {"steps": 1, "content_weight": 0.02}
    assert run("stylize/stylize", manifest=str(manifest), out=str(out), overrides=settings).is_completed()
    assert list(pd.read_parquet(out / "report.parquet")["status"]) == ["completed"] * 2
    assert run("reprocess/reprocess", run_dir=str(out), overrides={"steps": 2}).is_completed()
    assert list(pd.read_parquet(out / "report.parquet")["steps"]) == [2, 2]
    assert run("gallery/gallery", run_dirs=[str(out)]).is_completed()
    assert (out / "gallery/index.html").exists()
