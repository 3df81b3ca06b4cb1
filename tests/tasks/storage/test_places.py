"""Paths and URLs: what a text names, what lies within a folder, and what must not be shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError
from upath import UPath

from stylebatch.flows.parameters import PlaceParameter
from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.places import Place, is_web, join, original, to_place, without_secrets


@pytest.mark.parametrize(
    "text", ["a.jpg", "photographs/a.jpg", "/data/a.jpg", "a:2.jpg", "C:/a.jpg", "simplecache::s3://bucket/a.jpg", "~"]
)
def test_a_path_stays_a_path(text: str) -> None:
    assert to_place(text) == Path(text)
    assert isinstance(to_place(text), Path)


@pytest.mark.parametrize(
    ("text", "name", "parent"),
    [
        ("s3://bucket/folder/a b.jpg", "a b.jpg", "s3://bucket/folder"),
        ("S3://bucket/a.yaml", "a.yaml", "s3://bucket/"),
        ("s3://bucket/what?/a#1@2x.jpg", "a#1@2x.jpg", "s3://bucket/what?"),
        ("gs://bucket/a.jpg", "a.jpg", "gs://bucket/"),
        ("az://container/a.jpg", "a.jpg", "az://container/"),
        ("memory://folder/a.jpg", "a.jpg", "memory://folder"),
        ("https://example.org:8443/a/b.jpg?width=100", "b.jpg?width=100", "https://example.org:8443/a"),
    ],
)
def test_a_url_becomes_a_place_that_travels(text: str, name: str, parent: str) -> None:
    place = to_place(text)
    assert isinstance(place, UPath)
    assert not isinstance(place, Path)
    assert place.name == name
    assert str(place.parent) == parent
    assert pickle.loads(pickle.dumps(place)) == place
    assert to_place(str(place)) == place


def test_a_file_url_is_a_path() -> None:
    assert to_place("file:///data/a%20b.jpg") == Path("/data/a b.jpg")


@pytest.mark.parametrize("protocol", ["ftp", "sftp", "github", "foo", "webhdfs", "zip", "data", "local"])
def test_other_protocols_are_refused(protocol: str) -> None:
    with pytest.raises(BadInput, match=f"there is no protocol {protocol}://; there are s3, "):
        to_place(f"{protocol}://host/a.jpg")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://AKIAKEY:pass/phrase@bucket/a.jpg", "s3://…@bucket/a.jpg"),
        ("s3://AKIAKEY:passphrase@bucket/a@2x.jpg", "s3://…@2x.jpg"),
        ("s3://KEY:pass@phrase@bucket/a.jpg", "s3://…@bucket/a.jpg"),
        ("s3://passphrase@bucket/a.jpg", "s3://…@bucket/a.jpg"),
        ("https://name:passphrase@example.org/a.jpg", "https://…@example.org/a.jpg"),
        ("https://example.org/a.jpg?X-Amz-Signature=passphrase", "https://example.org/a.jpg?X-Amz-Signature=…"),
        ("https://example.org/a.jpg?w=1&sig=passphrase&x=2", "https://example.org/a.jpg?w=1&sig=…&x=2"),
        ("https://example.org/a.jpg?access_token=passphrase#b", "https://example.org/a.jpg?access_token=…#b"),
        ("https://example.org/a.jpg#token=passphrase", "https://example.org/a.jpg#token=…"),
        ("https://example.org/a.jpg?pw=passphrase", "https://example.org/a.jpg?pw=…"),
        ("https://example.org/a.jpg?w=1;pwd=passphrase", "https://example.org/a.jpg?w=1;pwd=…"),
        ("s3://bucket/a.jpg?session=passphrase", "s3://bucket/a.jpg?session=…"),
        ("ftp://name:passphrase@example.org/a.jpg", "ftp://…@example.org/a.jpg"),
        ("file://name:passphrase@host/a.jpg", "file://…@host/a.jpg"),
    ],
)
def test_credentials_are_refused_and_not_repeated(text: str, shown: str) -> None:
    with pytest.raises(BadInput) as error:
        to_place(text)
    assert "phrase" not in str(error.value)
    assert str(error.value).startswith(shown)
    assert "credentials by the environment" in str(error.value)
    assert without_secrets(f"{text} | b.jpg") == f"{shown} | b.jpg"


@pytest.mark.parametrize(
    "text",
    [
        "a@b.jpg",
        "s3://bucket/a@2x.jpg",
        "http://host:8080/a@2x.jpg",
        "https://h/a?width=3",
        "me@example.org: no",
        "?key=1",
    ],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("folder", "name", "found"),
    [
        ("s3://bucket/sets/one", "a.jpg", "s3://bucket/sets/one/a.jpg"),
        ("s3://bucket/sets/one", "../two/a.jpg", "s3://bucket/sets/two/a.jpg"),
        ("s3://bucket/sets/one", "./a.jpg", "s3://bucket/sets/one/a.jpg"),
        ("s3://bucket/sets", "../../../a.jpg", "s3://bucket/a.jpg"),
        ("s3://bucket", "a..b/c...jpg", "s3://bucket/a..b/c...jpg"),
        ("s3://bucket/sets", "gs://other/a.jpg", "gs://other/a.jpg"),
        ("s3://bucket/sets", "/data/a.jpg", "/data/a.jpg"),
        ("/sets", "s3://bucket/a.jpg", "s3://bucket/a.jpg"),
        ("/sets", "../a.jpg", "/sets/../a.jpg"),
        ("memory://sets", "deep/a.jpg", "memory://sets/deep/a.jpg"),
    ],
)
def test_a_name_within_a_folder(folder: str, name: str, found: str) -> None:
    assert str(join(to_place(folder), name)) == found


def test_the_web_is_off_unless_it_is_allowed() -> None:
    name = "https://example.org/a.jpg"
    for folder, called in ((Path("/sets"), name), (to_place("https://example.org/"), "a.jpg")):
        with pytest.raises(BadInput, match="unless --allow-http is given"):
            join(folder, called)
        assert is_web(join(folder, called, allow_http=True))
        assert not is_web(original(folder, called))
        assert not Path(str(original(folder, called))).exists()


def test_a_flows_parameter() -> None:
    adapter: TypeAdapter[Place] = TypeAdapter(PlaceParameter)
    assert adapter.validate_python("s3://bucket/a") == UPath("s3://bucket/a")
    assert adapter.validate_python(Path("a")) == Path("a")
    assert adapter.json_schema() == {"type": "string", "format": "path"}
    with pytest.raises(ValidationError) as error:
        adapter.validate_python("s3://key:phrase@bucket/a")
    assert "phrase" not in error.value.errors()[0]["msg"]
