"""The runners: real Dask and Ray clusters give what threads give, and a worker that is killed loses nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
import torch

from stylebatch.flows.runners import place
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.batches import MANY
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from tests.conftest import AtServer
from tests.waiting import FUSE, wait_for

BIN = Path(sys.executable).parent
COMMAND = str(BIN / "stylebatch")
# How a worker process that computes is told from those that organize.
WORKERS = {"dask": r"spawn_main", "ray": r"ray::(IDLE|stylize|.*run_prefect_task)"}


def write_manifest(folder: Path, samples: Path, pairs: int, steps: int) -> Path:
    content, style = samples / "images/chelsea.jpg", samples / "styles/glass.jpg"
    rows = [f"pair-{seed},{content},{style},64,{steps},{seed},noise" for seed in range(pairs)]
    manifest = folder / "rows.csv"
    manifest.write_text("\n".join(["id,content,style,size,steps,seed,init", *rows]))
    return manifest


def start(server: str, *arguments: object, folder: Path | None = None) -> subprocess.Popen[str]:
    """The command, or with ``folder`` the script in it, as Python puts a script's folder before all others."""
    return subprocess.Popen(
        [*([sys.executable, folder / "script.py"] if folder else [COMMAND]), *map(str, arguments)],
        cwd=folder,
        env=os.environ | ({"PREFECT_API_URL": server} if server else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[dict[str, object], str]:
    stdout, stderr = process.communicate(timeout=FUSE)
    assert process.returncode == 0, stderr
    return json.loads(stdout), stderr


def digests(out: Path) -> list[str]:
    return list(pd.read_parquet(out / "report.parquet")["output_sha256"])


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory, samples: Path, at_server: AtServer) -> list[str]:
    """The digests of three pairs, computed by threads in two slots."""
    folder = tmp_path_factory.mktemp("threads")
    with at_server():
        stylize(write_manifest(folder, samples, 3, 3), folder / "out", devices="2×cpu")
    return digests(folder / "out")


@pytest.fixture
def other_cluster() -> Iterator[None]:
    """The port of a Dask cluster that runs here already is taken."""
    with socket.socket() as held:
        with suppress(OSError):  # where one does run
            held.bind(("127.0.0.1", 8787))
            held.listen()
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("other_cluster")
@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_cluster_gives_the_same_bytes_and_its_workers_may_be_killed(
    runner: str, tmp_path: Path, samples: Path, by_threads: list[str], prefect_server: str, workplace: Path
) -> None:
    out = tmp_path / "out"
    manifest = write_manifest(tmp_path, samples, 3, 3)
    # A pair before them that goes on until its worker is killed, and is done by another.
    lines = manifest.read_text().splitlines()
    endless = lines[1].replace("pair-0", "long").replace(",3,", ",80,")
    manifest.write_text("\n".join([lines[0], endless, *lines[1:]]))
    options = ["--devices", "2×cpu", "--runner", runner, "--json"]
    process = start(prefect_server, "run", manifest, "--out", out, *options, folder=workplace)
    children: list[psutil.Process] = []

    def computing() -> list[psutil.Process]:
        nonlocal children
        children = psutil.Process(process.pid).children(recursive=True)
        found = [child for child in children if re.search(WORKERS[runner], " ".join(child.cmdline()))]
        return [child for child in found if child.memory_info().rss > 4e8]

    wait_for(lambda: (out / "images/pair-2.png").exists(), "the last of the short pairs is there", process)
    workers = computing()
    assert workers
    busiest = max(workers, key=lambda worker: worker.cpu_percent(0.3))
    busiest.kill()
    found, stderr = finish(process)
    assert (found["completed"], found["failed"]) == (4, 0), found
    assert digests(out)[1:] == by_threads
    assert not stderr or runner == "ray", "only Ray tells of workers that die"
    assert "Traceback" not in stderr
    gone, alive = psutil.wait_procs(children, timeout=FUSE)
    assert not alive, "processes of the cluster are left"
    assert gone


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_cluster_that_goes_on_is_used_by_its_address(tmp_path: Path, samples: Path, workplace: Path) -> None:
    import distributed

    manifest = write_manifest(tmp_path, samples, 3, 3)
    scheduler = subprocess.Popen(
        [BIN / "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file",
         tmp_path / "scheduler.json"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    workers: list[subprocess.Popen[bytes]] = []
    try:
        wait_for((tmp_path / "scheduler.json").exists, "the scheduler says where it is", scheduler)
        address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
        with pytest.raises(BadRequest, match="has no worker with a device; start one for each device: dask worker"):
            stylize(manifest, tmp_path / "refused", runner="dask", address=address)
        assert not (tmp_path / "refused").exists(), "nothing was written"
        options = ["--nthreads", "1", "--resources", "device=1", "--no-dashboard", "--host", "127.0.0.1"]
        worker = subprocess.Popen(
            [BIN / "dask", "worker", address, *options],
            cwd=workplace,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        workers.append(worker)
        with distributed.Client(address) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(1, timeout=FUSE)
        outcomes = stylize(manifest, tmp_path / "out", runner="dask", address=address)
        assert [outcome.status for outcome in outcomes] == ["completed"] * 3
        assert json.loads((tmp_path / "out/run.json").read_text())["devices"] == [f"dask at {address}"]
        assert worker.poll() is None, "the cluster is not ours to end"
    finally:
        for process in (*workers, scheduler):
            if process is scheduler:
                process.terminate()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(FUSE)


@pytest.mark.slow
def test_ctrl_c_ends_a_cluster_with_the_run(tmp_path: Path, samples: Path, prefect_server: str) -> None:
    manifest = write_manifest(tmp_path, samples, 1, 100_000)
    process = start(prefect_server, "run", manifest, "--out", tmp_path / "out", "--devices", "cpu", "--runner", "dask")
    wait_for((tmp_path / "out/run.json").exists, "the run has begun", process)
    wait_for(lambda: len(psutil.Process(process.pid).children(recursive=True)) >= 2, "a worker is there", process)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=FUSE)
    assert process.returncode == 130
    assert "the same command goes on" in stderr
    assert not psutil.wait_procs(children, timeout=FUSE)[1], "processes of the cluster are left"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("auto", "spark", ""), "--runner spark: there are threads, dask, ray"),
        (("auto", "threads", "tcp://a:1"), "give --runner dask or --runner ray"),
        (("2×cpu", "dask", "tcp://a:1"), "the devices are those of the cluster"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, str, str], message: str) -> None:
    with pytest.raises(BadRequest) as error:
        place(*arguments)
    assert message in str(error.value)


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_missing_extra_is_named(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"prefect_{runner}", None)
    with pytest.raises(BadRequest, match=re.escape(f"pip install 'stylebatch[{runner}]'")):
        place("auto", runner)


def test_many_are_painted_by_a_slot_a_core_unless_slots_were_asked_for(samples: Path) -> None:
    def jobs(engine: str, count: int) -> list[Job]:
        rows = [{"content": "images/coffee.jpg", "style": "styles/glass.jpg", "size": 64, "engine": engine}]
        manifest = Manifest(samples / "test.yaml", rows)
        return make_jobs(manifest, check_rows(manifest, {})[0], Slot("cpu"))[0] * count

    cores = torch.get_num_threads()
    many, usual = MANY * cores, [Slot("cpu")]
    assert place("cpu").suited(jobs("feedforward", many)).slots == usual
    assert place("auto", "dask").suited(jobs("feedforward", many)).slots == place("auto", "dask").slots
    if place("auto").slots != usual:
        pytest.skip("there is a GPU")
    assert place("auto").suited(jobs("feedforward", many)).slots == make_slots(f"{cores}×cpu")
    assert place("auto").suited(jobs("feedforward", many - 1)).slots == usual
    assert place("auto").suited(jobs("optimize", many)).slots == usual
