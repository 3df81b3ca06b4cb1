"""Records as a table: what the segments of ended chunks are gathered in, and what is read by columns."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from types import NoneType
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record, parse_settings

ROWS = 5_000  # as columns of Python's objects at a time
_KINDS: Mapping[Any, pa.DataType] = {
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    str: pa.string(),
    Settings: pa.string(),
    datetime: pa.timestamp("us", tz="UTC"),
    dict[str, float]: pa.map_(pa.string(), pa.float64()),
}


def _kind(annotation: Any) -> pa.DataType:
    """The column of a field, which may have nothing in it."""
    if annotation in _KINDS:
        return _KINDS[annotation]
    (of_values,) = (one for one in get_args(annotation) if one is not NoneType)
    return _KINDS[of_values]


_SCHEMA = pa.schema([(name, _kind(field.annotation)) for name, field in Record.model_fields.items()])
# Whose texts many records have in common.
_SHARED = ("machine", "device", "content_sha256", "style_sha256", "masks_sha256", "weights_sha256", "model_sha256")


def written(groups: Iterable[Sequence[Record]]) -> tuple[str, bytes]:
    """The table's name, which its bytes decide, and its bytes, as Parquet.

    Args:
        groups: of records, of which one at a time has to be in memory.
    """
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, _SCHEMA) as writer:
        for records in groups:
            writer.write_table(pa.Table.from_pylist([_row(record) for record in records], _SCHEMA))
    data = buffer.getvalue()
    return hashlib.sha256(data).hexdigest(), data


def _row(record: Record) -> dict[str, Any]:
    return vars(record) | {"settings": record.settings.model_dump_json()}


def read(data: bytes, keys: Mapping[str, str]) -> Iterator[Record]:
    """The records of ``keys``, each mapped to itself, that a table has.

    Raises:
        ValueError, pa.ArrowException: it is no such table, or one of another version.
    """
    source = pa.BufferReader(data)
    there = pq.read_schema(source)
    later = [name for name in _SCHEMA.names if name not in there.names]  # than the version that has written it
    if any(Record.model_fields[name].is_required() for name in later) or any(
        there.field(name).type != _SCHEMA.field(name).type for name in _SCHEMA.names if name not in later
    ):
        raise ValueError("is of another version")
    # Row by row group and without Arrow's own threads, as `storage.parquet` says; what is shared stays a dictionary.
    with pq.ParquetFile(source, pre_buffer=False, read_dictionary=[*_SHARED, "settings"]) as file:
        wanted = pa.array(list(keys), pa.string()) if file.metadata.num_rows > len(keys) else None
        for batch in file.iter_batches(ROWS, use_threads=False):
            yield from _records(batch if wanted is None else batch.filter(pc.is_in(batch["key"], wanted)), keys)


def _records(batch: pa.RecordBatch, keys: Mapping[str, str]) -> Iterator[Record]:
    columns = {name: _values(name, batch) for name in _SCHEMA.names}
    columns["key"] = [keys.get(key) for key in columns["key"]]
    constant = (repeat(value) for value in _PYDANTIC.values())
    return (_record(row) for row in zip(*columns.values(), *constant, strict=False) if row[0])


def _values(name: str, batch: pa.RecordBatch) -> list[Any]:
    """The values of a field; where all are alike, and where Arrow would make them one by one, by shorter ways."""
    if name not in batch.schema.names:
        return [Record.model_fields[name].default] * len(batch)
    column = batch[name]
    if column.null_count == len(column):
        return [None] * len(column)
    if name == "settings":
        return _spread(column, parse_settings)
    if name in _SHARED:
        return _spread(column, sys.intern)
    if pa.types.is_map(column.type):
        judged = pc.any(pc.not_equal(column.offsets[1:], column.offsets[:-1])).as_py()
        return [dict(pairs) if pairs else _NONE for pairs in column.to_pylist()] if judged else [_NONE] * len(batch)
    if column.null_count or pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return list(column.to_pylist())
    values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    if pa.types.is_timestamp(column.type):
        return [value.replace(tzinfo=UTC) for value in values]
    return values


def _spread(column: pa.DictionaryArray, read: Callable[[str], Any]) -> list[Any]:
    """The values of a column, each of which is read once."""
    values = [read(text) for text in column.dictionary.to_pylist()]
    if column.null_count:
        return [None if index is None else values[index] for index in column.indices.to_pylist()]
    return [values[index] for index in column.indices.to_numpy().tolist()]


def _record(row: Sequence[Any]) -> Record:
    """A record of values that the table's schema vouches for, and of what pydantic adds to them."""
    record = Record.__new__(Record)
    # One by one, so that Python keeps the fields' names once for all records: a million take a third of the memory.
    for _ in map(object.__setattr__, repeat(record), _ATTRIBUTES, row):
        pass
    return record


_NONE: dict[str, float] = {}  # the losses of all that were not judged
_PYDANTIC: Mapping[str, Any] = {
    "__pydantic_fields_set__": set(Record.model_fields),
    "__pydantic_extra__": None,
    "__pydantic_private__": None,
}
_ATTRIBUTES = (*_SCHEMA.names, *_PYDANTIC)
