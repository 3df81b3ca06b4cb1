"""The runners that pairs can be computed by: threads of this process, or the workers of a Dask or Ray cluster.

A cluster on this machine is started for the run and ended with it; with an address, one that goes on is used. Either
way its scheduler is told that a worker has one device, and that a pair takes it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import torch
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from stylebatch.tasks.devices.leases import Leases, Pool, WorkersOwn
from stylebatch.tasks.devices.slots import Slot, cuda_name, is_auto, make_slots
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.batches import suited_slots
from stylebatch.tasks.plan.jobs import Job

RunnerName = Literal["threads", "dask", "ray"]
# Pairs that are handed out for each slot: one computes, and the next is being decoded, or is on its way to the worker.
AHEAD = 2
DEVICE = "device"  # the resource of which a Dask worker has one
OBJECTS = 100 * 10**6  # bytes that Ray sets aside for what workers exchange, which is little


@dataclass(frozen=True)
class Workers:
    """What computes, while it is there.

    Attributes:
        submit: hands a task with its parameters over.
        leases: where a pair gets its slot from, wherever it is computed.
        room: how many pairs to hand out at once.
    """

    submit: Callable[..., PrefectFuture[Any]]
    leases: Leases
    room: int


@dataclass(frozen=True)
class Placement:
    """Where the pairs of a run are to be computed.

    Attributes:
        slots: of this machine; with ``address`` they are the cluster's to tell, and this is what settings go by.
        is_free: whether nothing was asked for, so that they may be what suits the work.
    """

    runner: RunnerName
    address: str
    slots: Sequence[Slot]
    is_free: bool = False

    @property
    def names(self) -> list[str]:
        """The devices in words, for ``run.json``."""
        return [f"{self.runner} at {self.address}"] if self.address else [slot.device for slot in self.slots]

    def suited(self, jobs: Sequence[Job]) -> Placement:
        """Where these are best computed, see `suited_slots`; a cluster's workers are there already."""
        is_free = self.is_free and self.runner == "threads"
        return replace(self, slots=suited_slots(self.slots, jobs)) if is_free else self

    def start(self) -> AbstractContextManager[Workers]:
        """Start what computes; it ends with the context."""
        if self.runner == "dask":
            return _dask(self.address, self.slots)
        if self.runner == "ray":
            return _ray(self.address, self.slots)
        return _threads(self.slots)


def place(devices: str = "auto", runner: str = "threads", address: str = "") -> Placement:
    """Read ``--devices``, ``--runner`` and ``--address``.

    Raises:
        BadRequest: one of them cannot be read, does not go with another, or needs a package that is not installed; or
            the cluster does not answer, or has nothing to compute with.
    """
    if runner not in get_args(RunnerName):
        raise BadRequest(f"--runner {runner}: there are {', '.join(get_args(RunnerName))}")
    if address and runner == "threads":
        raise BadRequest(f"--address {address}: it is that of a cluster; give --runner dask or --runner ray too")
    if address and not is_auto(devices):
        raise BadRequest(f"--devices {devices}: with --address the devices are those of the cluster; leave it out")
    slots = make_slots(devices)
    kinds = {slot.device.partition(":")[0] for slot in slots}
    if runner != "threads":
        if len(kinds) > 1:
            raise BadRequest(f"--devices {devices}: name devices of one kind with --runner {runner}")
        _check_installed(runner)
    placement = Placement(cast(RunnerName, runner), address, slots, is_free=is_auto(devices))
    if address:  # one that cannot be used is found before anything is written
        with placement.start():
            pass
    return placement


def _check_installed(runner: str) -> None:
    try:
        __import__(f"prefect_{runner}")
        __import__("distributed" if runner == "dask" else "ray")
    except ImportError:
        raise BadRequest(f"--runner {runner} needs more packages: pip install 'stylebatch[{runner}]'") from None


@contextmanager
def _threads(slots: Sequence[Slot]) -> Iterator[Workers]:
    room = AHEAD * len(slots)
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=room)
    with runner:
        yield Workers(runner.submit, Pool(slots), room)


@contextmanager
def _dask(address: str, slots: Sequence[Slot]) -> Iterator[Workers]:
    import dask
    from prefect_dask.task_runners import DaskTaskRunner

    runner: DaskTaskRunner = DaskTaskRunner(address=address) if address else DaskTaskRunner(**_dask_cluster(slots))
    with runner, dask.annotate(resources={DEVICE: 1}):
        if not address:
            yield Workers(runner.submit, _own(slots), AHEAD * len(slots))
            return
        try:
            client = runner.client  # which connects
        except OSError as error:
            raise _unanswered(address, error) from None
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        hosts = Counter(worker["host"] for worker in workers if worker["resources"].get(DEVICE))
        if not hosts:
            raise BadRequest(
                f"the cluster at {address} has no worker with a device; start one for each device: "
                f'dask worker {address} --nthreads 1 --resources "{DEVICE}=1"'
            )
        yield Workers(runner.submit, WorkersOwn(1 / max(hosts.values())), AHEAD * hosts.total())


def _dask_cluster(slots: Sequence[Slot]) -> dict[str, Any]:
    """A worker process for each slot, on loopback; a worker that dies is replaced."""
    from distributed import Nanny, Scheduler, SpecCluster

    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # which the workers inherit
    # Any free port for HTTP too: with Dask's own, a second run on this machine would warn of the first.
    here = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    workers = {}
    for number, slot in enumerate(slots):
        # Without a limit of Dask's: stylebatch keeps to its own, and Dask would kill a worker that has more.
        options = {**here, "nthreads": 1, "resources": {DEVICE: 1}, "memory_limit": 0}
        visible = {"CUDA_VISIBLE_DEVICES": cuda_name(slot.device)}
        workers[number] = {"cls": Nanny, "options": {**options, "env": visible}}
    scheduler = {"cls": Scheduler, "options": here}
    cluster = {"scheduler": scheduler, "workers": workers, "silence_logs": logging.CRITICAL}
    return {"cluster_class": SpecCluster, "cluster_kwargs": cluster}


def _unanswered(address: str, error: Exception) -> BadRequest:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BadRequest(f"the cluster at {address} cannot be reached: {reason}")


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Ray takes the GPUs that it has from the environment of the process that starts it."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _own(slots: Sequence[Slot]) -> WorkersOwn:
    """What a worker on this machine leases, with the threads that a thread of this process would have."""
    return WorkersOwn(slots[0].share, slots[0].threads or torch.get_num_threads())


@contextmanager
def _ray(address: str, slots: Sequence[Slot]) -> Iterator[Workers]:
    import ray
    from prefect_ray.context import remote_options
    from prefect_ray.task_runners import RayTaskRunner

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    gpus = sum(slot.device != "cpu" for slot in slots)
    if not address:
        options |= {
            "num_cpus": len(slots),
            "num_gpus": gpus,
            "object_store_memory": OBJECTS,
            "include_dashboard": False,
        }
    with ExitStack() as stack:
        # Ray tells of workers that die on the standard output, which is the summary's.
        stack.enter_context(redirect_stdout(sys.stderr))
        if gpus and not address:
            stack.enter_context(_environment("CUDA_VISIBLE_DEVICES", ",".join(cuda_name(one.device) for one in slots)))
        try:
            runner = stack.enter_context(RayTaskRunner(address=address or None, init_kwargs=options))
        except (OSError, RuntimeError, ValueError) as error:
            if not address:
                raise
            raise _unanswered(address, error) from None
        if not address:
            with remote_options(num_cpus=1, num_gpus=min(gpus, 1)):
                yield Workers(runner.submit, _own(slots), AHEAD * len(slots))
            return
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        if gpus := int(sum(node.get("GPU", 0) for node in nodes)):
            with remote_options(num_cpus=1, num_gpus=1):
                yield Workers(runner.submit, WorkersOwn(), AHEAD * gpus)
            return
        # A pair has a machine's cores to itself: of the smallest, so that it has room on each.
        processors = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
        if not processors:
            raise BadRequest(f"the cluster at {address} has neither processors nor GPUs to compute with")
        each = min(processors)
        with remote_options(num_cpus=each):
            own = WorkersOwn(each / max(processors), each)
            yield Workers(runner.submit, own, AHEAD * sum(cores // each for cores in processors))
