"""HTTP servers on loopback, each for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer


class Silent(BaseHTTPRequestHandler):
    """Prints nothing of what it is asked for."""

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Any free port; ``asked`` has the paths that it was asked for, where its handler notes them."""

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def start(server: BaseServer) -> None:
    """In a thread of its own, until it is shut down: which it looks out for every half second, unless told."""
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[Server]:
    """A server that answers within this, and is gone after it."""
    with Server(handler) as server:
        start(server)
        try:
            yield server
        finally:
            server.shutdown()
