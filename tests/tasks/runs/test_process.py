"""Whether the process that run.json names still goes on."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import Any

import psutil

from stylebatch.tasks.runs.process import state_of, this_process
from tests.waiting import wait_for


def run_of(**change: Any) -> dict[str, Any]:
    return {"state": "running", "machine": {"name": platform.node()}, **this_process(), **change}


def test_a_run_goes_on_with_its_process() -> None:
    assert state_of(run_of()) == "running"
    assert state_of(run_of(state="stopped")) == "stopped"


def test_a_run_whose_process_is_gone_has_crashed() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(child.pid).create_time()
    run = run_of(process=child.pid, process_started=started)
    assert state_of(run) == "running"
    assert state_of(run | {"process_started": started - 100}) == "crashed", "the number is another process's"
    child.kill()
    wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, "the process has ended")
    assert state_of(run) == "crashed", "it only waits to be buried"
    child.communicate()
    assert state_of(run) == "crashed"


def test_of_another_machine_nothing_is_known() -> None:
    assert state_of(run_of(process=2**22 + 1, machine={"name": "elsewhere"})) == "running"
