"""Pictures from the web: never from a private address, whatever a name resolves to, and never without an end."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.addresses import is_public
from stylebatch.tasks.storage.places import without_secrets

LARGEST = 200 * 10**6  # bytes of a file
PATIENCE = 10.0  # seconds that a connection may be silent
LONGEST = 120.0  # seconds that a file may take
REDIRECTS = 5
UNQUOTED = "%/:=&?~#+!$,;'@()*[]"  # of a path and a query, which may be quoted already


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses that a host's name resolves to now.

    Raises:
        OSError: it resolves to none.
    """
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _InTime(httpcore.NetworkStream):
    """A connection that ends at a time, however slowly the other side sends."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"it took longer than {LONGEST:.0f} s")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _InTime(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _PublicOnly(httpcore.NetworkBackend):
    """Connects to the very address that was looked at: a name that resolves to another one later gains nothing."""

    def __init__(self, resolve: Callable[[str, int], list[str]]) -> None:
        self._resolve = resolve
        self._network = httpcore.SyncBackend()
        self._deadline = time.monotonic() + LONGEST

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """See `httpcore.NetworkBackend`.

        Raises:
            BadInput: one of the host's addresses is not public.
        """
        found = self._resolve(host, port)
        if not found or not all(map(is_public, found)):
            raise BadInput(f"{host} is at a private address, which pictures are never read from")
        for address in found[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._connect(address, port, timeout, local_address, socket_options)
        return self._connect(found[-1], port, timeout, local_address, socket_options)

    def _connect(self, *options: Any) -> httpcore.NetworkStream:
        return _InTime(self._network.connect_tcp(*options), self._deadline)


def fetch(address: str, file: BinaryIO, resolve: Callable[[str, int], list[str]] = addresses_of) -> None:
    """Write what an ``http(s)://`` address has into a file. Redirects are followed, and looked at in the same way.

    Args:
        resolve: gives the addresses of a host.

    Raises:
        BadInput: it is at a private address, is refused or not there, or is too large.
        OSError: the host does not answer, or not in time.
    """
    backend = _PublicOnly(resolve)
    for _ in range(REDIRECTS + 1):
        with _clear_errors(address), _get(address, backend) as response:
            if response.status not in (301, 302, 303, 307, 308):
                _check_status(address, response.status)
                _copy(address, response, file)
                return
            headers = {name.lower(): value for name, value in response.headers}
            address = urljoin(address, headers.get(b"location", b"").decode("utf-8", "replace"))
            if urlsplit(address).scheme not in ("http", "https"):
                raise BadInput(f"{without_secrets(address)}: a redirect leads away from the web")
    raise BadInput(f"{without_secrets(address)}: more than {REDIRECTS} redirects")


@contextmanager
def _get(address: str, backend: httpcore.NetworkBackend) -> Iterator[httpcore.Response]:
    parts = urlsplit(address)
    host = (parts.hostname or "").encode("idna")
    target = quote(parts.path or "/", safe=UNQUOTED) + (f"?{quote(parts.query, safe=UNQUOTED)}" if parts.query else "")
    url = httpcore.URL(scheme=parts.scheme.encode(), host=host, port=parts.port, target=target.encode())
    named = f"[{host.decode()}]" if b":" in host else host.decode()
    asked = named if parts.port is None else f"{named}:{parts.port}"
    headers = [("Host", asked), ("User-Agent", "stylebatch"), ("Accept-Encoding", "identity")]
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
    with (
        httpcore.ConnectionPool(network_backend=backend) as pool,
        pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response,
    ):
        yield response


def _check_status(address: str, status: int) -> None:
    shown = without_secrets(address)
    if status == 429 or status >= 500:
        raise OSError(errno.EIO, f"{shown}: the server answers with {status}")
    if status != 200:
        raise BadInput(f"{shown}: the server answers with {status}")


def _copy(address: str, response: httpcore.Response, file: BinaryIO) -> None:
    size = 0
    for block in response.iter_stream():
        size += len(block)
        if size > LARGEST:
            raise BadInput(f"{without_secrets(address)} is larger than {LARGEST / 1e6:.0f} MB; take a copy of your own")
        file.write(block)


@contextmanager
def _clear_errors(address: str) -> Iterator[None]:
    shown = without_secrets(address)
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        socket.gaierror,
    ) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OSError(errno.EIO, f"{shown} cannot be read: {reason}") from None
    except BadInput:
        raise
    except (ValueError, httpcore.UnsupportedProtocol) as error:  # a port or a host that cannot be
        raise BadInput(f"{shown} is no address: {error}") from None
