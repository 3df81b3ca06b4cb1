"""What every command that starts a flow has in common: Prefect's server, signals, a progress bar."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from rich.progress import Progress

from stylebatch.flows.interrupt import Interrupt
from stylebatch.flows.prefect_server import Server, find_server
from stylebatch.tasks.errors import BadRequest

NOTHING_COULD_BE_DONE = 2


class Session:
    """A server that is starting, and signals that end what is going on.

    Args:
        say_error: shows a sentence; called when the server has died, which ends the process.
        last: called when a signal, or that, ends the process.
    """

    def __init__(self, say_error: Callable[[str], None], *last: Callable[[], None]) -> None:
        self._server: Server | None = None
        self._say_error = say_error
        self._over = False
        self._interrupt = Interrupt(self._stop, *last)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Within this, a signal stops what is going on, and ends the process.

        Raises:
            BadRequest: Prefect's server cannot be reached any more.
        """
        self._interrupt.install()
        try:
            yield
        except BaseException as error:
            if self._interrupt.begun:  # an interrupt, or what came of it on the way
                self._interrupt.leave()
            if self._server and _is_of_the_line(error):
                raise BadRequest(
                    "the Prefect server does not answer any more; what is done is kept: start it again, and give the "
                    "same command again"
                ) from None
            raise
        finally:
            self._over = True

    @contextmanager
    def flows(self) -> Iterator[None]:
        """Within this, flows can be imported while the server starts, and run once `ready` has returned.

        Raises:
            BadRequest: as `start`, or the server cannot be reached any more.
        """
        with self.signals():
            self.start()
            yield

    def start(self) -> None:
        """Find the user's server, or begin to start one; for those who find out later whether they need one.

        Raises:
            BadRequest: as `find_server`.
        """
        self._server = find_server()

    def ready(self, runner: str = "threads", address: str = "") -> None:
        """Wait until the server answers, and let the workers of a cluster find it.

        Raises:
            BadRequest: it does not answer, or workers on other machines could not find it.
        """
        assert self._server
        self._server.wait()
        # Behind Prefect's own, later handlers, which send the last events.
        atexit.register(self._stop)
        self._server.watch(self._lost)
        if runner != "threads":
            self._server.share(address)

    def _stop(self) -> None:
        if self._server:
            self._server.stop()

    def _lost(self, why: str) -> None:
        """The server has died: what Prefect would wait for now does not come."""
        if self._over:  # nothing waits any more
            return
        self._interrupt.before(lambda: self._say_error(why))
        self._interrupt.end(NOTHING_COULD_BE_DONE)

    @contextmanager
    def watching(self, variable: ContextVar[Any], watcher: Any, progress: Progress | None = None) -> Iterator[None]:
        """Let ``watcher`` be called through ``variable``, and show a progress bar if there is one."""
        if progress:
            self._interrupt.before(progress.stop)
        token = variable.set(watcher)
        try:
            with progress or nullcontext():
                yield
        finally:
            variable.reset(token)


def _is_of_the_line(error: BaseException) -> bool:
    """Whether a request did not get through. Within a flow, Prefect alone makes them this way."""
    import httpx

    return isinstance(error, httpx.TransportError)
