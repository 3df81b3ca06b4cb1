"""The form ``parquet``: the pictures' bytes in a column, of the type that Hugging Face's ``datasets`` calls `Image`."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.export.ahead import ahead
from stylebatch.tasks.export.samples import Sample, Samples
from stylebatch.tasks.export.target import Target

SHARD = "train-%05d.parquet"
SHARD_BYTES = 500e6  # of pictures
GROUP_BYTES = 32e6  # in memory at a time, and in a row group
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_table(samples: Samples, target: Target) -> Generator[tuple[Sample, BadInput | None]]:
    """Write ``train-00000.parquet`` and so on, with a column ``image`` and what is told of each picture.

    ``label`` is the place of the label among all, sorted, from 0; the schema's metadata have their names, as
    ``datasets`` has a `ClassLabel`. Gives each sample as it is there, or with what is wrong with it.
    """
    classes = {label: number for number, label in enumerate(samples.labels)}
    shards = _Shards(target, _schema(samples))
    try:
        for sample, picture in ahead(Sample.read, samples):
            if isinstance(picture, BadInput):
                yield sample, picture
                continue
            image = {"bytes": picture, "path": sample.name}
            shards.add({"image": image, **sample.told, "label": classes[sample.label]}, len(picture))
            yield sample, None
        shards.finish()
    finally:
        shards.close()


def _schema(samples: Samples) -> pa.Schema:
    told = samples.schema
    label = told.get_field_index("label")
    fields = [pa.field("image", IMAGE), *told.set(label, pa.field("label", pa.int64()))]
    features: dict[str, Any] = {field.name: _feature(field.type) for field in fields}
    features |= {"image": {"_type": "Image"}, "label": {"names": samples.labels, "_type": "ClassLabel"}}
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


def _feature(kind: pa.DataType) -> dict[str, str]:
    """The type as ``datasets`` writes it down."""
    return {"dtype": {"double": "float64", "float": "float32"}.get(str(kind), str(kind)), "_type": "Value"}


class _Shards:
    """Parquet files, one after the other."""

    def __init__(self, target: Target, schema: pa.Schema) -> None:
        self._target, self._schema = target, schema
        self._number = 0
        self._writer: pq.ParquetWriter | None = None
        self._rows: list[dict[str, Any]] = []
        self._waiting = self._written = 0  # bytes of pictures

    @property
    def _file(self) -> Path:
        return self._target.scratch / (SHARD % self._number)

    def add(self, row: dict[str, Any], size: int) -> None:
        """Take in a row with a picture of so many bytes."""
        self._rows.append(row)
        self._waiting += size
        if self._waiting >= GROUP_BYTES:
            self._write()
        if self._written >= SHARD_BYTES:
            self.finish()

    def finish(self) -> None:
        """Put the file into its place; what follows goes into another."""
        self._write()
        if self._writer:
            self._writer.close()
            self._writer = None
            self._target.put(self._file, self._file.name)
            self._number, self._written = self._number + 1, 0

    def _write(self) -> None:
        if self._rows:
            # Statistics of pictures would be pictures.
            measured = [name for name in self._schema.names if name != "image"]
            self._writer = self._writer or pq.ParquetWriter(
                self._file, self._schema, compression="zstd", write_statistics=measured
            )
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._written, self._waiting = self._written + self._waiting, 0
            self._rows = []

    def close(self) -> None:
        """Let go of the file, whole or not."""
        if self._writer:
            self._writer.close()
