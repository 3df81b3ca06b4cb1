"""What every command that starts a flow has in common: Prefect's temporary server, signals, a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from rich.progress import Progress

from stylebatch.flows.interrupt import Interrupt
from stylebatch.flows.prefect_server import TemporaryServer


class Session:
    """A server that is starting, and signals that end what is going on.

    Args:
        last: called when a signal ends the process.
    """

    def __init__(self, *last: Callable[[], None]) -> None:
        self._server = TemporaryServer()
        self._interrupt = Interrupt(self._server.stop, *last)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Within this, a signal stops what is going on, and ends the process."""
        self._interrupt.install()
        try:
            yield
        except KeyboardInterrupt:
            self._interrupt.leave()

    @contextmanager
    def flows(self) -> Iterator[None]:
        """Within this, flows can be imported while the server starts, and run once `ready` has returned."""
        with self.signals():
            self.start()
            yield

    def start(self) -> None:
        """Begin to start the server; for those who find out later whether they need one."""
        self._server.start()

    def ready(self, runner: str = "threads", address: str = "") -> None:
        """Wait until the server answers, and let the workers of a cluster find it.

        Raises:
            BadRequest: workers on other machines could not.
        """
        self._server.wait()
        if runner != "threads":
            self._server.share(address)

    @contextmanager
    def watching(self, variable: ContextVar[Any], watcher: Any, progress: Progress | None = None) -> Iterator[None]:
        """Let ``watcher`` be called through ``variable``, and show a progress bar if there is one."""
        if progress:
            self._interrupt.first(progress.stop)
        token = variable.set(watcher)
        try:
            with progress or nullcontext():
                yield
        finally:
            variable.reset(token)
