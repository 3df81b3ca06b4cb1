"""A real S3 endpoint on loopback, moto's, which counts its requests and fails when it is told to."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import s3fs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.serving import start

SECRET = "wJalr/XUtnFEMI+K7MDENG"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
CODES = {"503 Slow Down": "SlowDown", "403 Forbidden": "AccessDenied"}


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class ObjectStore:
    """The endpoint. ``fault`` is asked at each request, by its number and its line, what is to go wrong with it."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.fault: Callable[[int, str], str] = lambda number, line: ""
        self._lock = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        start(self._server)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        # One for all buckets: to make it takes longer than most of what tests ask of it.
        self.files = s3fs.S3FileSystem(
            key=ACCESS_KEY,
            secret=SECRET,
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        with self._lock:
            self.requests.append(line)
            fault = self.fault(len(self.requests), line)
        if fault == "drop":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return [b""]
        if fault:
            body = f"<Error><Code>{CODES[fault]}</Code><Message>No.</Message></Error>".encode()
            start_response(fault, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body if environ["REQUEST_METHOD"] != "HEAD" else b""]
        return self._moto(environ, start_response)

    @contextmanager
    def failing(self, fault: Callable[[int, str], str]) -> Iterator[None]:
        """Within this, requests go wrong as ``fault`` says."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = lambda number, line: ""

    def close(self) -> None:
        self._server.shutdown()


class Bucket:
    """A new bucket, and a way to it that is not the program's."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.files = store.files
        self.files.mkdir(self.name)

    def url(self, name: str = "") -> str:
        return f"s3://{self.name}/{name}"

    def put(self, name: str, data: bytes | str) -> None:
        self.files.pipe_file(f"{self.name}/{name}", data.encode() if isinstance(data, str) else data)

    def get(self, name: str) -> bytes:
        data: bytes = self.files.cat_file(f"{self.name}/{name}")
        return data

    def remove(self, name: str) -> None:
        self.files.rm_file(f"{self.name}/{name}")

    def names(self, folder: str = "") -> list[str]:
        """All that is in a folder and the folders in it, by its name in the bucket."""
        return [file.removeprefix(f"{self.name}/") for file in self.files.find(f"{self.name}/{folder}")]


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Within this, this process and those that it starts have these variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ |= values
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
