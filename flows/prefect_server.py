"""Prefect as a command-line program needs it: quiet, and with its temporary server started without losing time."""

from __future__ import annotations

import atexit
import os
import re
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stylebatch.tasks.errors import BadRequest

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer


def configure(verbose: bool) -> None:
    """Set Prefect up by its environment, which it reads when it is first imported. What the user has set stays."""
    defaults = {
        # Its first start on a machine makes a database, for which the 20 seconds that Prefect gives can be too short.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    if not verbose:
        # The console's handler only: a Prefect server that the user runs still gets the whole log.
        defaults |= {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


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


class TemporaryServer:
    """Prefect's temporary server, started ahead of the first flow.

    It takes some seconds on a processor of its own, in which torch and the flows can be imported. Where
    ``PREFECT_API_URL`` names a server, there is nothing to start.
    """

    def __init__(self) -> None:
        self._server: SubprocessASGIServer | None = None
        self._starting: threading.Thread | None = None
        self._settings = ExitStack()  # left by the end of the process

    def start(self) -> None:
        """Begin to start it, if one is needed."""
        from prefect.settings import PREFECT_API_URL

        if PREFECT_API_URL.value():
            return
        from prefect.server.api.server import SubprocessASGIServer

        self._server = SubprocessASGIServer()
        self._starting = threading.Thread(target=self._try, args=(self._server,), daemon=True)
        self._starting.start()

    @staticmethod
    def _try(server: SubprocessASGIServer) -> None:
        # Should it fail, the first flow tries again, and its error is the one to show.
        with suppress(Exception):
            server.start()

    def wait(self) -> None:
        """Wait until it answers."""
        if self._starting:
            self._starting.join()
            # Behind Prefect's own, later handlers, which send the last events, and before its handler for the server.
            atexit.register(self.stop)

    def share(self, address: str) -> None:
        """Have the processes that this one starts, and the workers that it gives tasks to, use the same server.

        Args:
            address: of the workers' cluster; none for one on this machine.

        Raises:
            BadRequest: they are on another machine, which this server does not answer.
        """
        if not self._server:
            return
        from prefect.settings import PREFECT_API_URL, temporary_settings

        if address and not any(name in address for name in ("127.0.0.1", "localhost", "[::1]")):
            raise BadRequest(
                f"the workers at {address} need a Prefect server that they can reach: run `prefect server start "
                "--host 0.0.0.0` on a machine of theirs, and set PREFECT_API_URL=http://THAT_MACHINE:4200/api"
            )
        os.environ["PREFECT_API_URL"] = self._server.api_url
        self._settings.enter_context(temporary_settings({PREFECT_API_URL: self._server.api_url}))

    def stop(self) -> None:
        """Ask it to end, and leave it to that: nothing here needs it any more."""
        if self._server and self._server.server_process:
            self._server.server_process.terminate()
            self._server.server_process = None
