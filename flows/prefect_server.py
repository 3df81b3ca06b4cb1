"""Prefect as a command-line program needs it: quiet, and with a server of its own where the user has none."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stylebatch.tasks.errors import BadRequest, told
from stylebatch.tasks.storage.places import without_secrets

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROBE = 3.0  # seconds between two looks at a server, and for a connection to it
ANSWER = 30.0  # seconds that a server which is busy may take
MISSED = 3  # looks in a row at which nothing listens, before a server is taken for dead
ERROR = re.compile(r"[\w.]*(Error|Exception|Failure)\b.*: .")


def configure(verbose: bool) -> None:
    """Set Prefect up by its environment, which it reads when it is first imported. What the user has set stays."""
    defaults = {
        # The first start on a machine makes a database, for which the 20 seconds that Prefect gives can be too short.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    if not verbose:
        # The console's handler only: a Prefect server that the user runs still gets the whole log.
        defaults |= {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # No proxy leads to this machine. Of the two spellings, some read only the one, and some only the other.
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = list(filter(None, direct.split(",")))
    if direct.strip() != "*":
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


def is_named() -> bool:
    """Whether there may be a server of the user's; Prefect, which knows for sure, takes its time to import."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    files = [profiles, *map(Path, ("prefect.toml", "pyproject.toml", ".env"))]
    return bool(os.environ.get("PREFECT_API_URL")) or any(map(_has_settings, files))


def _has_settings(file: Path) -> bool:
    with suppress(OSError):
        return re.search(rb"PREFECT_|\[api\]|tool\.prefect", file.read_bytes()) is not None
    return False


class Overheard(io.StringIO):
    """What Prefect prints, while a progress bar goes on where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.rich_proxied_file = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # Rich looks for this name


class Server(Protocol):
    """What Prefect keeps its runs in."""

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            BadRequest: it does not.
        """

    def share(self, address: str) -> None:
        """Let the workers of a cluster use it.

        Raises:
            BadRequest: they could not reach it.
        """

    def watch(self, lost: Callable[[str], None]) -> None:
        """Call ``lost`` with a sentence should it die."""

    def stop(self) -> None:
        """Nothing here needs it any more."""


def find_server() -> Server:
    """The server that the user has named, or a temporary one, which is starting.

    A temporary one takes some seconds on a processor of its own, in which torch and the flows can be imported.

    Raises:
        BadRequest: Prefect cannot be used as it is set up, or the server that is named does not answer.
    """
    said = Overheard()
    try:
        # It warns of a home that cannot be made, and prints what is told below in a sentence.
        with warnings.catch_warnings(action="ignore"), redirect_stderr(said):
            from prefect.settings import PREFECT_API_URL, get_current_settings

            url, home = PREFECT_API_URL.value(), get_current_settings().home
    except Exception as error:
        raise BadRequest(
            f"Prefect's settings cannot be read: {_first_line(error)}; correct its profiles "
            f"(profiles.toml in {os.environ.get('PREFECT_HOME', '~/.prefect')}) or the variable PREFECT_… that is wrong"
        ) from None
    sys.stderr.write(said.getvalue())
    if url:
        named = NamedServer(url)
        named.wait()  # what flows import takes long, and would be for nothing
        return named
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise BadRequest(
            f"Prefect cannot write to its folder {home}: {error.strerror}; set PREFECT_HOME to another folder"
        ) from None
    return TemporaryServer(home)


class NamedServer:
    """The server at ``PREFECT_API_URL``, which others run."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()

    def wait(self) -> None:
        """See that it answers, and is Prefect's.

        Raises:
            BadRequest: it does not.
        """
        try:
            with self._client() as client:
                error = client.api_healthcheck()
                if not error:
                    client.raise_for_api_version_mismatch()
        except Exception as raised:
            error = raised
        if error:
            raise BadRequest(
                f"no Prefect server answers at {without_secrets(self._url)} ({_first_line(error)}), which "
                "PREFECT_API_URL or Prefect's profile names: start it, or have none named, for a temporary one "
                "(unset PREFECT_API_URL; prefect config unset PREFECT_API_URL)"
            ) from None

    @contextmanager
    def _client(self) -> Iterator[SyncPrefectClient]:
        """Prefect's own, with its certificates and passwords, but without its patience."""
        import httpx
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        timeout = httpx.Timeout(ANSWER, connect=PROBE)
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),
            get_client(sync_client=True, httpx_settings={"timeout": timeout}) as client,
        ):
            yield client

    def share(self, address: str) -> None:
        """Nothing to do: whoever names a server has to name one that the workers reach."""

    def watch(self, lost: Callable[[str], None]) -> None:
        """Look at it from time to time, and call ``lost`` when nothing listens there any more."""
        in_these_settings = copy_context().run
        threading.Thread(target=in_these_settings, args=[self._look, lost], daemon=True).start()

    def _look(self, lost: Callable[[str], None]) -> None:
        import httpx

        missed = 0
        with self._client() as client:
            while missed < MISSED:
                if self._ended.wait(PROBE):
                    return
                # Others are signs of a server that is busy.
                gone = isinstance(client.api_healthcheck(), httpx.ConnectError | httpx.ConnectTimeout)
                missed = missed + 1 if gone else 0
        lost(f"the Prefect server at {without_secrets(self._url)} does not answer any more; start it again")

    def stop(self) -> None:
        """Look at it no more."""
        self._ended.set()


class TemporaryServer:
    """A server that ends with this process, also where that is killed."""

    def __init__(self, home: Path) -> None:
        from prefect.settings import get_current_settings

        self._home = home
        self._told = threading.Event()  # that it answers, or has ended
        self._lines: deque[str] = deque(maxlen=200)
        self._lost: Callable[[str], None] | None = None
        self._url = ""
        environment = {
            **os.environ,
            **get_current_settings().to_environment_variables(exclude_unset=True),
            # What it says is shown where it does not start.
            "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",
            "PREFECT_UI_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stylebatch.flows.server_process"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid

    def _listen(self) -> None:
        """Take in what it says, until it has ended."""
        from stylebatch.flows.server_process import ANSWERS

        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(ANSWERS):
                self._url = f"http://127.0.0.1:{int(line.removeprefix(ANSWERS))}/api"
                self._told.set()
            else:
                self._lines.append(line.rstrip())
        answered, self._url = self._url, ""
        self._told.set()
        if answered and self._lost:
            self._lost(
                "Prefect's temporary server has ended, perhaps killed for its memory; make room, or name another by "
                "PREFECT_API_URL"
            )

    def wait(self) -> None:
        """Wait until it answers, and let Prefect use it, here and in the processes that this one starts.

        Raises:
            BadRequest: it does not start.
        """
        from prefect.context import refresh_global_settings_context
        from prefect.settings import PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS

        seconds = PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()
        in_time = self._told.wait(seconds)
        if not self._url:
            self.stop()
            reasons = [line for line in self._lines if ERROR.match(line)] or list(self._lines)
            reason = reasons[-1] if reasons else "it said nothing"
            raise BadRequest(
                f"Prefect's temporary server does not start: {without_secrets(reason)}; look after its folder "
                f"{self._home}, set PREFECT_HOME to another, or PREFECT_API_URL to a server that runs"
                if in_time
                else f"Prefect's temporary server does not answer after {seconds} s; give it more in "
                "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS, or set PREFECT_API_URL to a server that runs"
            )
        os.environ["PREFECT_API_URL"] = self._url
        with redirect_stderr(Overheard()):  # what it says it has said before
            refresh_global_settings_context()

    def share(self, address: str) -> None:
        """See that the workers can reach it.

        Args:
            address: of the workers' cluster; none for one on this machine.

        Raises:
            BadRequest: they are on another machine, which this server does not answer.
        """
        if address and not any(name in address for name in ("127.0.0.1", "localhost", "[::1]")):
            raise BadRequest(
                f"the workers at {address} need a Prefect server that they can reach: run `prefect server start "
                "--host 0.0.0.0` on a machine of theirs, and set PREFECT_API_URL=http://THAT_MACHINE:4200/api"
            )

    def watch(self, lost: Callable[[str], None]) -> None:
        """Call ``lost`` should it end before `stop`."""
        self._lost = lost

    def stop(self) -> None:
        """Have it end, and leave it to that."""
        self._lost = None
        assert self._process.stdin
        self._process.stdin.close()


def _first_line(error: Exception) -> str:
    """The cause of an error, in a line."""
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    lines = [line for line in told(cause).splitlines() if line.strip()]
    return without_secrets(lines[0]) if lines else type(cause).__name__
