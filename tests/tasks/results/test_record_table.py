"""Records that lie together: in tables, and in the segments that these are made of."""

from __future__ import annotations

import io
import json
import pickle
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from upath import UPath

from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.results.record_table import read, written
from stylebatch.tasks.results.remote_store import RemoteStore
from stylebatch.tasks.results.segments import Segment, newest, records_of
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.storage.files import names_in, read_bytes
from stylebatch.tasks.storage.parquet import read_parquet

KEYS = {name * 64: name * 64 for name in "abc"}
JUDGED: dict[str, object] = {
    "total_loss": 0.75, "content_loss": 0.25, "style_loss": 0.5, "tv_loss": 0.0, "structure": 0.6,
    "style_distance": 0.3, "style_loss_by_layer": {"relu1_1": 0.2, "relu2_1": 0.3},
}  # fmt: skip
NOT_JUDGED: dict[str, object] = {
    **dict.fromkeys(("total_loss", "content_loss", "style_loss", "tv_loss")),
    "style_loss_by_layer": {},
}
MASKED: dict[str, object] = {"masks_sha256": "5" * 64}


def at(second: int) -> datetime:
    return datetime(2026, 11, 25, 12, 0, second, 250_000, UTC)


def record(key: str, **changed: object) -> Record:
    fields: dict[str, object] = {
        "key": key, "optimizer_loss": None, "steps": 0, "seconds": 0.125, "machine": "here", "device": "cpu",
        "width": 64, "height": 48, "attempts": 1, "output_sha256": "1" * 64, "content_sha256": "2" * 64,
        "style_sha256": "3" * 64, "masks_sha256": None, "weights_sha256": "4" * 64, "model_sha256": None,
        "settings": Settings(size=64), "finished_at": at(0),
    }  # fmt: skip
    return Record.model_validate({**fields, **JUDGED, **changed})


def test_what_is_written_is_read_by_its_keys() -> None:
    a, b, c = (record(key, **fields) for key, fields in zip(KEYS, (JUDGED, NOT_JUDGED, MASKED), strict=True))
    name, data = written([[a, b], [c]])
    assert name == written([[a, b], [c]])[0]
    found = list(read(data, KEYS))
    assert found == [a, b, c]
    assert found[0].key is KEYS[a.key], "a million keys are there once"
    assert found[0].settings is found[2].settings
    assert [one.model_dump_json() for one in found] == [one.model_dump_json() for one in (a, b, c)]
    assert pickle.loads(pickle.dumps(found[0])) == a
    assert found[0].model_copy(update={"attempts": 2}).attempts == 2
    assert list(read(data, {c.key: c.key})) == [c]


def test_of_a_key_the_newest_counts() -> None:
    old, new, other = record("a" * 64, finished_at=at(1)), record("a" * 64, finished_at=at(2)), record("b" * 64)
    assert newest([new, other, old]) == {new.key: new, other.key: other}


def test_a_table_of_an_earlier_version_has_what_it_had() -> None:
    one = record("a" * 64, far_from_training=True)
    _, data = written([[one]])
    table = read_parquet(data)
    buffer = io.BytesIO()
    pq.write_table(table.drop_columns(["far_from_training"]), buffer)
    assert list(read(buffer.getvalue(), KEYS)) == [one.model_copy(update={"far_from_training": None})]
    buffer = io.BytesIO()
    pq.write_table(table.drop_columns(["output_sha256"]), buffer)
    with pytest.raises(ValueError, match="another version"):
        list(read(buffer.getvalue(), KEYS))


def test_what_is_no_table_of_records_is_told() -> None:
    _, data = written([[record("a" * 64)]])
    for wrong in (b"", data[:200], b"PAR1" + json.dumps({}).encode()):
        with pytest.raises((ValueError, pa.ArrowException)):
            list(read(wrong, KEYS))


def test_segments_become_a_table_when_nobody_is_at_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create()
    records = []
    for key in KEYS:
        sha256 = write_png(Image.new("RGB", (8, 6), "teal"), store.picture(key, "png"))
        records.append(record(key, output_sha256=sha256))
    for one in records:
        with Segment(store.segment(one.key), []) as segment:
            segment.append([one])
    locks = Store(tmp_path).locks
    assert locks.acquire_lock("c" * 64, "another process")
    store.sweep()
    endings = Counter(name.partition(".")[2] for name in names_in(store.records))
    assert endings == {"jsonl": 1, "parquet": 1}
    assert store.find_all(KEYS) == {one.key: one for one in records}
    locks.release_lock("c" * 64, "another process")
    store.sweep()
    assert Counter(name.partition(".")[2] for name in names_in(store.records)) == {"parquet": 2}
    assert store.find_all(KEYS) == {one.key: one for one in records}
    store.picture("a" * 64, "png").write_bytes(b"altered")
    assert store.find_all(KEYS).keys() == {"b" * 64, "c" * 64}
    assert store.discard_all(list(KEYS)) == {"a" * 64}


def test_a_torn_line_does_not_count_and_the_next_is_whole(tmp_path: Path) -> None:
    place, (a, b) = tmp_path / "one.jsonl", (record(key) for key in ("a" * 64, "b" * 64))
    Segment(place, []).append([a, b])
    place.write_bytes(place.read_bytes()[:-50])
    assert records_of(place) == [a]
    Segment(place, [a]).append([b])
    assert records_of(place) == [a, b]
    assert records_of(tmp_path / "none.jsonl") == []


def test_an_object_has_all_lines_at_the_end() -> None:
    store = RemoteStore(UPath(f"memory://{uuid.uuid4().hex}/out"))
    store.create()
    a, b = (record(key) for key in ("a" * 64, "b" * 64))
    with Segment(store.segment("a" * 64), [a]) as segment:
        segment.append([b])
        assert not names_in(store.records)
    assert records_of(store.segment("a" * 64)) == [a, b]
    store.sweep()
    (name,) = names_in(store.records)
    assert name.endswith(".parquet")
    assert list(read(read_bytes(store.records / name), KEYS)) == [a, b]
