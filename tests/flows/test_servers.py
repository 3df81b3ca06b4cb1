"""Prefect servers that do not answer, do not start or die, and a temporary one that is not left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from unittest import mock

import prefect
import psutil
import pytest
from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from rich.console import Console

from stylebatch.flows import prefect_server as module
from stylebatch.flows.prefect_server import NamedServer, Overheard, TemporaryServer, configure, find_server
from stylebatch.tasks.errors import BadRequest
from tests.serving import Silent, serving
from tests.waiting import wait_for


@contextmanager
def own_environment(**changes: str) -> Iterator[None]:
    """What is set in the environment meanwhile is undone."""
    try:
        with mock.patch.dict(os.environ, changes):
            yield
    finally:
        refresh_global_settings_context()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/api", "Connection refused"),
        ("127.0.0.1:4200/api", "'http://' or 'https://'"),
        ("no Prefect", "404"),
    ],
)
def test_a_named_server_that_does_not_answer_is_told_with_the_remedy(
    url: str, reason: str, prefect_server: str
) -> None:
    address = prefect_server.replace("/api", "/elsewhere") if url == "no Prefect" else url
    with temporary_settings({PREFECT_API_URL: address}), pytest.raises(BadRequest) as error:
        find_server().wait()
    assert f"no Prefect server answers at {address}" in str(error.value)
    assert reason in str(error.value)
    assert "unset PREFECT_API_URL" in str(error.value)


def test_a_home_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = {PREFECT_HOME: tmp_path / "file/home"}
    with temporary_settings(settings, restore_defaults=[PREFECT_API_URL]), pytest.raises(BadRequest) as error:
        find_server()
    assert f"Prefect cannot write to its folder {tmp_path / 'file/home'}: Not a directory" in str(error.value)
    assert "set PREFECT_HOME to another folder" in str(error.value)


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_no_proxy_leads_to_this_machine(name: str, prefect_server: str) -> None:
    nobody = "http://127.0.0.1:9" if name == "http_proxy" else "socks5://127.0.0.1:9"
    with own_environment(**{name: nobody, "NO_PROXY": "example.org", "no_proxy": "example.org"}):
        configure(verbose=False)
        assert os.environ["no_proxy"].startswith("example.org,127.0.0.1,")
        with temporary_settings({PREFECT_API_URL: prefect_server}):
            find_server().wait()


class _Healthy(Silent):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true")


@pytest.mark.slow
def test_a_named_server_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE", 0.05)
    lost: list[str] = []
    with serving(_Healthy) as http:
        url = f"{http.address}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            NamedServer(url).watch(lost.append)
            time.sleep(0.3)
            assert not lost
    wait_for(lambda: lost, "the server's death to be told")
    assert lost == [f"the Prefect server at {url} does not answer any more; start it again"]


class _Busy(_Healthy):
    """Takes longer for an answer than a connection may take."""

    def do_GET(self) -> None:
        time.sleep(4 * module.PROBE)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"true" if self.path.endswith("/health") else f'"{prefect.__version__}"'.encode())


def test_a_named_server_that_is_busy_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE", 0.1)
    with serving(_Busy) as http, temporary_settings({PREFECT_API_URL: f"{http.address}/api"}):
        NamedServer(f"{http.address}/api").wait()


@pytest.mark.slow
def test_prefect_s_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text("active = [\n")
    code = "from stylebatch.flows.prefect_server import find_server as f\ntry: f()\nexcept ValueError as e: print(e)"
    environment = os.environ | {"PREFECT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Prefect's settings cannot be read: Invalid value (at end of document); correct")
    assert str(tmp_path) in done.stdout
    assert done.stderr == ""


def test_a_progress_bar_goes_on_while_prefect_prints() -> None:
    with redirect_stderr(io.StringIO()) as screen:
        console = Console(stderr=True)
        with redirect_stderr(Overheard()) as overheard:
            print("by Prefect", file=sys.stderr)
            console.print("by the bar")
    assert screen.getvalue() == "by the bar\n"
    assert overheard.getvalue() == "by Prefect\n"


@pytest.mark.slow
def test_a_temporary_server_heeds_no_signal_and_its_death_is_told() -> None:
    lost: list[str] = []
    with own_environment():
        server = TemporaryServer(Path(os.environ["PREFECT_HOME"]))
        server.wait()
        server.watch(lost.append)
        process = psutil.Process(server.process)
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        NamedServer(os.environ["PREFECT_API_URL"]).wait()
        assert not lost
        process.kill()
        wait_for(lambda: lost, "the server's death to be told")
    assert lost[0].startswith("Prefect's temporary server has ended")


@pytest.mark.slow
def test_a_temporary_server_ends_with_the_process_that_is_killed() -> None:
    code = (
        "import time; from stylebatch.flows.prefect_server import find_server as f\n"
        "s = f(); s.wait(); print(s.process, flush=True); time.sleep(10**6)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    wait_for(lambda: not psutil.pid_exists(child), "the server to end with its parent")


@pytest.mark.slow
def test_a_temporary_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "prefect.db").write_bytes(b"no database " * 1000)
    settings = {PREFECT_HOME: tmp_path}
    with temporary_settings(settings, restore_defaults=[PREFECT_API_URL]), pytest.raises(BadRequest) as error:
        find_server().wait()
    assert "temporary server does not start: " in str(error.value)
    assert "file is not a database" in str(error.value)
    assert str(tmp_path) in str(error.value)
