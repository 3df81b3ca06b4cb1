"""The store in an object store: what it finds, lists, copies and throws away. In memory, where nothing has an ETag."""

from __future__ import annotations

import json
import pickle
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from upath import UPath

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.remote_store import RemoteStore, open_store
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage import cache
from stylebatch.tasks.storage.files import exists, names_in, read_bytes, remove, write_atomically

KEY, OTHER = "0123456789abcdef" * 4, "f" * 64
OUTPUT = "images/x.png"


@pytest.fixture
def store() -> Iterator[RemoteStore]:
    cache.forget()
    store = RemoteStore(UPath(f"memory://{uuid.uuid4().hex}/out"))
    store.create()
    yield store
    cache.forget()


def seen_anew(store: RemoteStore) -> RemoteStore:
    """The store as the next run sees it."""
    cache.forget()
    return RemoteStore(store.folder)


def write_pair(store: RemoteStore, key: str = KEY, colour: str = "teal") -> Record:
    digest = write_png(Image.new("RGB", (8, 6), colour), store.picture(key, "png"))
    fields = dict.fromkeys(("total_loss", "content_loss", "style_loss", "tv_loss", "optimizer_loss", "seconds"), 1.0)
    record = Record(
        key=key,
        style_loss_by_layer={"relu1_1": 1.0},
        steps=10,
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
        **fields,
    )
    write_atomically(store.records / key, json.dumps({"result": record.model_dump_json()}).encode())
    return record


def test_a_folder_of_this_machine_has_the_store_that_it_always_had(tmp_path: Path) -> None:
    assert open_store(tmp_path) == Store(tmp_path)
    assert open_store(UPath("s3://bucket/out")) == RemoteStore(UPath("s3://bucket/out"))


def test_it_travels_as_its_url(store: RemoteStore) -> None:
    write_pair(store)
    assert store.find_all([KEY])
    there = pickle.loads(pickle.dumps(store))
    assert there == store
    assert vars(there) == {"folder": store.folder}
    assert len(pickle.dumps(store)) < 1000


def test_whole_pairs_are_found(store: RemoteStore) -> None:
    records = {KEY: write_pair(store), OTHER: write_pair(store, OTHER, "orange")}
    assert store.find_all([KEY, OTHER, "0" * 64, KEY]) == records
    assert store.find(KEY) == records[KEY]
    assert store.find("0" * 64) is None


def test_pictures_that_were_found_whole_are_not_read_again(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write_pair(store)
    store.find_all([KEY])
    monkeypatch.setattr(MemoryFileSystem, "get_file", lambda *_: pytest.fail("read again"))
    assert seen_anew(store).find_all([KEY]) == {KEY: record}


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"result": "{}"}', b'{"result": 3}'])
def test_a_damaged_record_is_not_found_and_thrown_away(damage: bytes, store: RemoteStore) -> None:
    write_pair(store)
    write_atomically(store.records / KEY, damage)
    assert store.find_all([KEY]) == {}
    assert store.discard(KEY)
    assert not exists(store.records / KEY)
    assert not seen_anew(store).discard(KEY)


def test_a_record_whose_picture_was_altered_is_thrown_away(store: RemoteStore) -> None:
    write_pair(store)
    store.find_all([KEY])
    write_png(Image.new("RGB", (8, 6), "black"), store.picture(KEY, "png"))
    again = seen_anew(store)
    assert again.find_all([KEY]) == {}
    assert again.discard(KEY)


def test_a_good_record_is_kept(store: RemoteStore) -> None:
    write_pair(store)
    assert not store.discard(KEY)
    assert exists(store.records / KEY)


def test_a_record_that_another_process_is_at_is_left(store: RemoteStore) -> None:
    write_atomically(store.records / KEY, b"{}")
    locks = RemoteStore(store.folder).locks
    assert locks.acquire_lock(KEY, "other")
    try:
        assert not store.discard(KEY)
    finally:
        locks.release_lock(KEY, "other")
    assert store.discard(KEY)


def test_a_picture_appears_under_its_name(store: RemoteStore) -> None:
    record = write_pair(store)
    store.publish(record, OUTPUT)
    assert read_bytes(store.folder / "images/x.png") == read_bytes(store.picture(KEY, "png"))
    other = write_pair(store, OTHER, "orange")
    seen_anew(store).publish(other, OUTPUT)
    assert read_bytes(store.folder / "images/x.png") == read_bytes(store.picture(OTHER, "png"))


def test_images_mirror_the_tree_that_ids_are_of(store: RemoteStore) -> None:
    record = write_pair(store)
    outputs = [f"images/{name}" for name in ("beach/x.png", "beach/at noon/x.png", "x.png")]
    for output in outputs:
        store.publish(record, output)
        assert read_bytes(store.folder / output) == read_bytes(store.picture(KEY, "png"))
    remove(store.folder / outputs[1])
    assert store.missing(outputs) == {outputs[1]}
    assert set(seen_anew(store)._there["images"]) == {"beach/x.png", "x.png"}


def test_what_no_key_leads_to_is_swept(store: RemoteStore) -> None:
    record = write_pair(store)
    write_atomically(store.records / "an-error-of-prefects", b"{}")
    store.publish(record, OUTPUT)
    store.sweep()
    assert names_in(store.records) == [KEY]
    assert KEY in json.loads(read_bytes(store.folder / ".store/verified.json"))


def test_notes_that_are_damaged_do_not_matter(store: RemoteStore) -> None:
    record = write_pair(store)
    for damage in (b"", b"[]", b"\xff\xff"):
        write_atomically(store.folder / ".store/verified.json", damage)
        assert seen_anew(store).find_all([KEY]) == {KEY: record}


def test_a_store_that_does_not_answer_is_told(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> None:
        raise TimeoutError

    write_pair(store)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "cat_file", silent)
        with pytest.raises(BadRequest, match="cannot be read"):
            store.find_all([KEY])
        patch.setattr(MemoryFileSystem, "ls", silent)
        with pytest.raises(BadRequest, match="cannot be listed"):
            seen_anew(store).find_all([KEY])
    with pytest.raises(BadRequest, match=r"pip install 'stylebatch\[gs\]'; choose another with --out"):
        RemoteStore(UPath("gs://bucket/out")).create()


def test_files_that_are_not_there(store: RemoteStore) -> None:
    assert names_in(store.folder / "nowhere") == []
    assert not exists(store.folder / "nowhere")
    remove(store.folder / "nowhere")
    with pytest.raises(FileNotFoundError):
        read_bytes(store.folder / "nowhere")
