"""The store: a record counts only with its picture, and outputs appear, are restored, or are left alone."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results import verified as module
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.store import Store

KEY, OTHER = "0123456789abcdef" * 4, "f" * 64
OUTPUT = "images/x.png"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "run")
    store.create()
    return store


def write_pair(store: Store, key: str = KEY, colour: str = "teal") -> Record:
    """A picture, and its record in the form in which Prefect writes results."""
    digest = write_png(Image.new("RGB", (8, 6), colour), store.picture(key, "png"))
    record = Record(
        key=key,
        total_loss=6.0,
        content_loss=1.0,
        style_loss=5.0,
        tv_loss=0.0,
        style_loss_by_layer={"relu1_1": 2.0, "relu2_1": 3.0},
        optimizer_loss=5.5,
        steps=10,
        seconds=1.25,
        device="cpu",
        width=8,
        height=6,
        attempts=1,
        output_sha256=digest,
        content_sha256="c",
        style_sha256="s",
        masks_sha256=None,
        weights_sha256="w",
        settings=Settings(size=64, precision="float32"),
        finished_at=datetime(2025, 11, 23, 3, 0, tzinfo=UTC),
    )
    write_result(store, key, record.model_dump_json())
    return record


def write_result(store: Store, key: str, result: Any) -> None:
    metadata = {"storage_key": key, "serializer": {"type": "json"}, "prefect_version": "3"}
    (store.records / key).write_text(json.dumps({"metadata": metadata, "result": result}))


# find


def test_a_whole_pair_is_found(store: Store) -> None:
    record = write_pair(store)
    write_pair(store, OTHER, "orange")
    assert store.find(KEY) == record


def test_what_is_not_there_is_not_found(store: Store) -> None:
    write_pair(store, OTHER)
    assert store.find(KEY) is None


def test_nothing_is_found_where_there_is_no_store(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").find(KEY) is None


def test_a_record_without_its_picture_does_not_count(store: Store) -> None:
    write_pair(store)
    store.picture(KEY, "png").unlink()
    assert store.find(KEY) is None
    assert store.discard(KEY)
    assert not (store.records / KEY).exists(), "Prefect would take it for a hit"


def test_a_record_with_another_picture_does_not_count(store: Store) -> None:
    write_pair(store)
    write_png(Image.new("RGB", (8, 6), "black"), store.picture(KEY, "png"))
    assert store.find(KEY) is None
    assert store.discard(KEY)
    assert not (store.records / KEY).exists(), "Prefect would take it for a hit"


def test_only_what_cannot_be_used_is_discarded(store: Store) -> None:
    write_pair(store)
    assert not store.discard(KEY)
    assert not store.discard(OTHER), "there is none"
    assert store.find(KEY)
    store.picture(KEY, "png").unlink()
    locks = store.locks
    assert locks.acquire_lock(KEY, "another process")
    assert not store.discard(KEY), "it is being made"
    locks.release_lock(KEY, "another process")
    assert store.discard(KEY)


def test_a_picture_without_a_record_does_not_count(store: Store) -> None:
    write_pair(store)
    (store.records / KEY).unlink()
    assert store.find(KEY) is None


def test_a_record_under_anothers_key_does_not_count(store: Store) -> None:
    write_pair(store)
    os.link(store.records / KEY, store.records / OTHER)
    os.link(store.picture(KEY, "png"), store.picture(OTHER, "png"))
    assert store.find(OTHER) is None
    assert store.find(KEY) is not None


def test_a_truncated_record_does_not_count(store: Store) -> None:
    write_pair(store)
    file = store.records / KEY
    whole = file.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert store.find(KEY) is None
    file.write_bytes(whole)
    assert store.find(KEY) is not None


@pytest.mark.parametrize(
    "data", [b"null", b"[]", b'"text"', b"5", b"{}", b'{"result": null}', b"\xff\xfe\x00", b'{"result": {"key": 1}}']
)
def test_other_json_does_not_count(data: bytes, store: Store) -> None:
    write_pair(store)
    (store.records / KEY).write_bytes(data)
    assert store.find(KEY) is None


@pytest.mark.parametrize("missing", [name for name, field in Record.model_fields.items() if field.is_required()])
def test_a_record_that_lacks_something_does_not_count(missing: str, store: Store) -> None:
    fields = write_pair(store).model_dump(mode="json")
    write_result(store, KEY, json.dumps(fields))
    assert store.find(KEY) is not None
    del fields[missing]
    write_result(store, KEY, json.dumps(fields))
    assert store.find(KEY) is None


def test_a_record_with_settings_of_another_version_does_not_count(store: Store) -> None:
    fields = write_pair(store).model_dump(mode="json")
    fields["settings"]["abandoned"] = 1
    write_result(store, KEY, json.dumps(fields))
    assert store.find(KEY) is None


# verified


def test_a_picture_that_was_found_whole_is_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write_pair(store)
    os.utime(store.picture(KEY, "png"), (1, 1))
    verified = store.verified()
    assert store.find(KEY, verified) == record
    verified.save()

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(module, "sha256_of", refuse)
    assert store.find(KEY, store.verified()) == record


@pytest.mark.parametrize("change", ["bytes", "size", "record"])
def test_a_picture_that_was_altered_since_is_found_out(change: str, store: Store) -> None:
    write_pair(store)
    os.utime(store.picture(KEY, "png"), (1, 1))
    verified = store.verified()
    assert store.find(KEY, verified)
    verified.save()
    whole = store.picture(KEY, "png").read_bytes()
    if change == "bytes":
        store.picture(KEY, "png").write_bytes(whole[:-1] + b"x")
    elif change == "size":
        store.picture(KEY, "png").write_bytes(whole + b"x")
        os.utime(store.picture(KEY, "png"), (1, 1))
    else:
        stored = json.loads((store.records / KEY).read_bytes())
        write_result(store, KEY, json.dumps(json.loads(stored["result"]) | {"output_sha256": "0" * 64}))
    assert store.find(KEY, store.verified()) is None


def test_a_picture_that_was_just_written_is_read_next_time_too(store: Store) -> None:
    write_pair(store)
    verified = store.verified()
    assert store.find(KEY, verified)
    verified.save()
    assert not (store.folder / ".store" / "verified").exists(), "it may change again without another time"


@pytest.mark.parametrize("damage", [b"", b"\xff", b'{"x": 1}', b"no marks of 16 bytes each"])
def test_without_knowledge_everything_is_read(damage: bytes, store: Store) -> None:
    record = write_pair(store)
    (store.folder / ".store" / "verified").write_bytes(damage)
    assert store.find(KEY, store.verified()) == record


def test_records_share_what_is_equal(store: Store) -> None:
    one, other = write_pair(store), write_pair(store, OTHER)
    assert (store.find(KEY), store.find(OTHER)) == (one, other)
    found = [store.find(key) for key in (KEY, OTHER)]
    assert found[0]
    assert found[1]
    assert found[0].settings is found[1].settings
    assert found[0].model_dump(exclude_unset=True) == one.model_dump()


# publish


def test_a_picture_is_published_under_its_name(store: Store) -> None:
    record = write_pair(store)
    store.publish(record, OUTPUT)
    target = store.folder / OUTPUT
    assert target.read_bytes() == store.picture(KEY, "png").read_bytes()
    assert target.samefile(store.picture(KEY, "png"))
    assert list(target.parent.iterdir()) == [target]


def test_images_mirror_the_tree_that_ids_are_of(store: Store) -> None:
    record = write_pair(store)
    outputs = [f"images/{name}" for name in ("beach/x.png", "beach/at noon/x.png", "x.png")]
    for output in outputs:
        store.publish(record, output)
    files = [file.relative_to(store.folder).as_posix() for file in sorted(store.images.rglob("*")) if file.is_file()]
    assert files == sorted(outputs)
    (store.folder / outputs[1]).unlink()
    assert store.missing(outputs) == {outputs[1]}


def test_a_picture_is_copied_where_there_are_no_links(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    # A file system without links, which a test cannot count on finding.
    monkeypatch.setattr(os, "link", refuse)
    record = write_pair(store)
    store.publish(record, OUTPUT)
    target = store.folder / OUTPUT
    assert target.read_bytes() == store.picture(KEY, "png").read_bytes()
    assert not target.samefile(store.picture(KEY, "png"))
    assert list(target.parent.iterdir()) == [target]


def test_two_ids_can_have_one_picture(store: Store) -> None:
    record = write_pair(store)
    for name in ("x.png", "y.png"):
        store.publish(record, f"images/{name}")
    assert sorted(file.name for file in (store.folder / "images").iterdir()) == ["x.png", "y.png"]
    assert (store.folder / "images" / "y.png").read_bytes() == store.picture(KEY, "png").read_bytes()


def test_an_output_that_is_right_is_left_alone(store: Store) -> None:
    record = write_pair(store)
    target = store.folder / OUTPUT
    target.write_bytes(store.picture(KEY, "png").read_bytes())
    os.utime(target, (1, 1))
    before = target.stat()
    store.publish(record, OUTPUT)
    after = target.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_missing_output_is_restored(store: Store) -> None:
    record = write_pair(store)
    store.publish(record, OUTPUT)
    (store.folder / OUTPUT).unlink()
    (store.folder / OUTPUT).parent.rmdir()
    store.publish(record, OUTPUT)
    assert (store.folder / OUTPUT).read_bytes() == store.picture(KEY, "png").read_bytes()


def test_an_output_of_another_pair_is_replaced(store: Store) -> None:
    store.publish(write_pair(store, OTHER, "orange"), OUTPUT)
    store.publish(write_pair(store), OUTPUT)
    assert (store.folder / OUTPUT).read_bytes() == store.picture(KEY, "png").read_bytes()
    assert store.find(OTHER) is not None


def test_an_altered_output_is_restored(store: Store) -> None:
    record = write_pair(store)
    target = store.folder / OUTPUT
    target.write_bytes(b"altered")
    store.publish(record, OUTPUT)
    assert target.read_bytes() == store.picture(KEY, "png").read_bytes()


def test_an_output_that_cannot_be_written_leaves_nothing(store: Store) -> None:
    record = write_pair(store)
    target = store.folder / OUTPUT
    target.mkdir()
    with pytest.raises(OSError, match=r"x\.png"):
        store.publish(record, OUTPUT)
    assert list(target.parent.iterdir()) == [target]


# sweep, create


def test_sweep_removes_what_no_key_leads_to(store: Store) -> None:
    write_pair(store)
    write_pair(store, OTHER)
    for name in ("4f7c2a9e-error", KEY[:-1], KEY + "0", KEY.upper(), ".x.part"):
        (store.records / name).write_text("{}")
    store.sweep()
    assert sorted(file.name for file in store.records.iterdir()) == [KEY, OTHER]
    assert store.find(KEY) is not None
    assert store.picture(OTHER, "png").is_file()


def test_create_keeps_what_is_there(store: Store) -> None:
    record = write_pair(store)
    store.publish(record, OUTPUT)
    store.create()
    assert store.find(KEY) == record
    assert (store.folder / OUTPUT).is_file()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match=r"cannot write to .*file.*--out"):
        Store(tmp_path / "file" / "run").create()
