"""Places: where a file is, by a path of this machine or by the URL of an object store or of the web.

A place of this machine is a `pathlib.Path`, and any other a `UPath`, which knows how to put URLs together and nothing
more: what is there is read and written by `storage.files`, `storage.cache` and `storage.object_stores`.

What reads and writes elsewhere (upath, fsspec, httpcore) is imported by the first URL: most runs have none.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import url2pathname

from stylebatch.tasks.errors import BadInput

if TYPE_CHECKING:
    from upath import UPath

Place: TypeAlias = "Path | UPath"
# Object stores by the protocols of their URLs, with what to install for them. No other protocol is let through: some
# of those that fsspec has would reach hosts that a manifest is not to reach.
STORES = {
    "s3": "pip install 'stylebatch[s3]'",
    "s3a": "pip install 'stylebatch[s3]'",
    "gs": "pip install 'stylebatch[gs]'",
    "gcs": "pip install 'stylebatch[gs]'",
    "az": "pip install adlfs",
    "abfs": "pip install adlfs",
    "memory": "",
}
WEB = ("http", "https")
_URL = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_SECRET = (
    r"[^=&#;\s|]*(?:sig|token|secret|pass|pwd|credential|auth|key|policy|session|jwt)[^=&#;\s|]*"
    r"|(?:\w*[_-])?(?:pw|sas|code)"
)
# Of a query or a fragment, which programs in browsers take for one.
_SECRET_QUERY = re.compile(rf"(?<=[?&#;])({_SECRET})=[^&#;\s|]*", re.IGNORECASE)
# A name before a host, or a name and a password, which may have slashes; a number after a colon is a port.
_SECRET_USER = re.compile(r"(?<=://)(?:[^/\s@|:]*:(?!\d+(?:/|$))[^\s|]*|[^/\s|]*)@")


def is_url(text: str) -> bool:
    """Whether a text is a URL, and not a path."""
    return _URL.match(text) is not None


def is_web(place: Place) -> bool:
    """Whether a place is to be read over HTTP."""
    return not isinstance(place, Path) and place.protocol in WEB


def without_secrets(text: str) -> str:
    """``text`` with ``…`` for what could be a name and password, a token or a signature in its URLs."""
    if "://" not in text:
        return text
    return _SECRET_QUERY.sub(r"\1=…", _SECRET_USER.sub("…@", text))


def refuse_secrets(text: str) -> None:
    """Refuse a text that may be a URL, or have one in it, with a name and password, a token or a signature.

    Whatever the text is for: it would come into logs, reports and databases.

    Raises:
        BadInput: it has; the text does not repeat it.
    """
    shown = without_secrets(text)
    if shown != text:
        raise BadInput(
            f"{shown} has a name or password, a signature or a key in it, which would come into logs and reports; take "
            "it out: name the file by its store's own URL, such as s3://, and give credentials by the environment"
        )


def to_place(text: str | os.PathLike[str] | UPath) -> Place:
    """The place that a text names.

    Raises:
        BadInput: it is a URL of a protocol that there is not, or one with credentials in it. The text does not repeat
            them.
    """
    if isinstance(text, Path):
        return text
    found = _URL.match(str(text))
    if found is None:
        return Path(str(text))
    protocol, host = found["protocol"].lower(), found["host"]
    shown = without_secrets(str(text))
    refuse_secrets(str(text))
    if protocol == "file":
        return Path(url2pathname(found["rest"]))
    if protocol not in (*STORES, *WEB):
        raise BadInput(f"{shown}: there is no protocol {protocol}://; there are {', '.join((*STORES, *WEB))}")
    port = re.sub(r"^\[[^\]]*\]", "", host).partition(":")[2]
    if port and protocol in STORES:
        raise BadInput(f"{shown}: a bucket has no port; give a store's endpoint by the environment")
    if not host:
        raise BadInput(f"{shown}: the bucket or host is missing")
    try:
        if protocol in WEB:
            urlsplit(str(text)).port  # noqa: B018 - it is looked at, and raises where it cannot be
        return _elsewhere(f"{protocol}://{host}{found['rest']}")
    except ValueError as error:
        raise BadInput(f"{shown} is no address: {error}") from None


def _elsewhere(url: str) -> UPath:
    from upath import UPath

    return UPath(url)


def join(folder: Place, name: str, allow_http: bool = False) -> Place:
    """The place that is called ``name`` from within ``folder``: relative to it, or by a path or URL of its own.

    Raises:
        BadInput: as `to_place`, or it is on the web and that is not allowed.
    """
    if is_url(name):
        place = to_place(name)
    elif isinstance(folder, Path) or Path(name).is_absolute():
        return Path(name) if not isinstance(folder, Path) else folder / name
    else:
        place = folder / name
        if any(part in (".", "..") for part in name.split("/")):  # which a store would take for parts of a name
            found = _URL.match(str(place))
            assert found is not None
            place = _elsewhere(f"{found['protocol']}://{found['host']}{posixpath.normpath(found['rest'])}")
    if is_web(place) and not allow_http:
        raise BadInput(f"{place}: pictures are not read over http(s) unless --allow-http is given")
    return place


def original(folder: Place, name: str, allow_http: bool = False) -> Place:
    """As `join`, for a name that a report has: what must not be read is a file that there is not."""
    try:
        return join(folder, name, allow_http)
    except BadInput:
        return Path("/nonexistent", Path(name).name)


def absolute(place: Place) -> Place:
    """The place by a path or URL that does not depend on where the process runs."""
    return place.absolute() if isinstance(place, Path) else place


def as_parameter(place: Place) -> Any:
    """The place as Prefect can write it down among a flow's parameters."""
    return place if isinstance(place, Path) else str(place)
