"""Whatever goes wrong in an object store is told as the system's own errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from upath import UPath

from stylebatch.tasks.errors import BadInput, told
from stylebatch.tasks.storage.object_stores import clear_errors, is_of_bytes, version_in
from stylebatch.tasks.stylizing.stylize import is_transient

PLACE = UPath("s3://bucket/folder/a.jpg")
DENIED: Any = {"Error": {"Code": "Odd", "Message": "odd"}}


@pytest.mark.parametrize(
    ("raised", "kind", "message", "transient"),
    [
        (FileNotFoundError("bucket/folder/a.jpg"), FileNotFoundError, "No such file or directory: a.jpg", False),
        (FileNotFoundError("The specified bucket does not exist"), BadInput, "there is no bucket s3://bucket", False),
        (PermissionError("Forbidden"), PermissionError, "access denied (Forbidden): check the credentials", False),
        (NoCredentialsError(), PermissionError, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", False),
        (ImportError("Install s3fs"), BadInput, "pip install 'stylebatch[s3]'", False),
        (ParamValidationError(report="Invalid bucket name: …"), BadInput, "Invalid bucket name", False),
        (OSError(16, "Please reduce your request rate."), OSError, "Please reduce your request rate.: a.jpg", True),
        (TimeoutError(), OSError, "TimeoutError", True),
        (ClientError(DENIED, "GetObject"), OSError, "the store does not answer as it should", True),
        (EndpointConnectionError(endpoint_url="http://h/"), OSError, "Could not connect", True),
        (ReadTimeoutError(endpoint_url="http://h/"), OSError, "Read timeout", True),
        (ConnectionResetError(104, "Connection reset by peer"), OSError, "Connection reset by peer", True),
    ],
)
def test_errors_are_told_clearly(raised: Exception, kind: type[Exception], message: str, transient: bool) -> None:
    with pytest.raises(kind) as error, clear_errors(PLACE):
        raise raised
    assert message in told(error.value)
    assert error.value.__cause__ is None
    assert is_transient(error.value) is transient


def test_a_listing_and_a_look_give_the_same_version() -> None:
    now = datetime.now(UTC)
    assert version_in({"created": now, "size": 3}) == version_in({"created": now.timestamp(), "size": 3})
    seen = {"ETag": '"0a"', "LastModified": now, "size": 3}
    assert version_in(seen) == version_in({**seen, "LastModified": now.replace(microsecond=0)})
    assert version_in(seen) != version_in({**seen, "ETag": '"0b"'})
    assert is_of_bytes(version_in(seen))
    assert not is_of_bytes(version_in({"created": now, "size": 3}))
