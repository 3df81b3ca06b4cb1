"""What was found out about a version of a file is found out once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from upath import UPath

from stylebatch.tasks.storage import cache, facts
from stylebatch.tasks.storage.files import write_atomically


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UPath]:
    """A file in memory, and nothing known of it."""
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(facts, "_connections", {})
    cache.forget()
    place = UPath(f"memory://{uuid.uuid4().hex}/a.jpg")
    write_atomically(place, b"one")
    yield place
    cache.forget()


def ask(place: Path | UPath, answer: str, asked: list[str]) -> str:
    def find() -> str:
        asked.append(answer)
        return answer

    return facts.known(place, "size", find)


def test_each_version_is_asked_about_once(place: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    assert [ask(place, "1 1", asked) for _ in range(3)] == ["1 1"] * 3
    monkeypatch.setattr(facts, "_connections", {})  # as another process
    cache.forget()
    assert ask(place, "0 0", asked) == "1 1"
    write_atomically(place, b"other")
    assert ask(place, "2 2", asked) == "2 2"
    assert asked == ["1 1", "2 2"]


def test_all_is_known_when_both_are(place: UPath) -> None:
    assert not facts.is_known(place)
    facts.known(place, "size", lambda: "1 1")
    assert not facts.is_known(place)
    facts.known(place, "sha256", lambda: "0a")
    assert facts.is_known(place)
    assert not facts.is_known(place.parent / "none")


def test_files_of_this_machine_are_asked_about_each_time(tmp_path: Path) -> None:
    asked: list[str] = []
    assert [ask(tmp_path / "a.jpg", answer, asked) for answer in ("1 1", "2 2")] == ["1 1", "2 2"]
    assert not facts.is_known(tmp_path / "a.jpg")


def test_an_error_is_not_kept(place: UPath) -> None:
    def fail() -> str:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        facts.known(place, "size", fail)
    assert facts.known(place, "size", lambda: "1 1") == "1 1"


def test_the_oldest_go(place: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    facts.known(place, "size", lambda: "1 1")
    facts.known(place, "sha256", lambda: "0a")
    monkeypatch.setattr(facts, "MOST", 1)
    monkeypatch.setattr(facts, "_connections", {})
    assert facts.known(place, "sha256", lambda: "new") == "0a"
    assert facts.known(place, "size", lambda: "new") == "new"


def test_a_damaged_file_does_not_matter(place: UPath) -> None:
    cache.folder().mkdir(parents=True)
    (cache.folder() / "facts.sqlite3").write_bytes(b"no database at all" * 100)
    asked: list[str] = []
    assert [ask(place, "1 1", asked) for _ in range(2)] == ["1 1"] * 2
    assert len(asked) == 2
