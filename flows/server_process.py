"""Prefect's server as a process that lives as long as the one that started it, whatever ends that.

Its standard input is a pipe that nobody writes to. The system closes it with the process at the other end, also where
that was killed. Signals are left to that process: a group of processes gets them together, and while it says what
became of a run, it needs the server.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn

# What it says once it answers, with the port that the system gave it.
ANSWERS = "answers at port "
GRACE = 5.0  # seconds to close the database in


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        port = self.servers[0].sockets[0].getsockname()[1]
        with suppress(BrokenPipeError):  # nobody waits for it any more
            print(f"{ANSWERS}{port}", flush=True)


def _end_with_parent(server: uvicorn.Server) -> None:
    while os.read(0, 1):
        pass
    server.should_exit = True
    threading.Timer(GRACE, os._exit, [0]).start()


def main() -> None:
    """Serve on loopback until standard input is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    application = "prefect.server.api.server:create_app"
    server = _Server(
        uvicorn.Config(application, factory=True, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    )
    threading.Thread(target=_end_with_parent, args=[server], daemon=True).start()
    try:
        server.run()
    finally:
        sys.stderr.flush()
        os._exit(0)  # whatever threads Prefect has left


if __name__ == "__main__":
    main()
