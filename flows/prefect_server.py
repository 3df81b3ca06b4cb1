"""Prefect as a command-line program needs it: quiet, and with its temporary server started without losing time."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable


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


def start() -> Callable[[], None]:
    """Start Prefect's temporary server now rather than at the first flow, unless ``PREFECT_API_URL`` names another.

    It takes some seconds on a processor of its own, in which torch and the flows can be imported.

    Returns:
        What to call before the first flow: it waits until the server answers.
    """
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return lambda: None
    from prefect.server.api.server import SubprocessASGIServer

    starting = threading.Thread(target=SubprocessASGIServer().start, daemon=True)
    starting.start()

    def wait() -> None:
        starting.join()
        # Behind Prefect's own, later handlers, which send the last events, and before its handler for the server.
        atexit.register(stop)

    return wait


def stop() -> None:
    """Ask the temporary server to end, if there is one, and leave it to that: nothing here needs it any more."""
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    if server.server_process:
        server.server_process.terminate()
        server.server_process = None
