"""Reading Parquet without Arrow's own threads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


class ParquetSize(NamedTuple):
    """How large a table is, by its file's own word: rows, and bytes of its columns once they are unpacked."""

    rows: int
    unpacked: int


def parquet_size(source: Path) -> ParquetSize:
    """The size of a table that is not read yet.

    Raises:
        pa.ArrowException, OSError: as `read_parquet`.
    """
    with pq.ParquetFile(source, pre_buffer=False) as file:
        about = file.metadata
        groups = [about.row_group(number).total_byte_size for number in range(about.num_row_groups)]
        return ParquetSize(about.num_rows, sum(groups))


def read_parquet(source: bytes | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A table from a file of this machine, or from the bytes of one.

    Not by ``pq.read_table``: the threads that it reads with give the bytes back when they please, and on a busy machine
    aborted every tenth short command, which had come to its end meanwhile.

    Args:
        columns: to read, as far as they are there; without them, all.

    Raises:
        pa.ArrowException, OSError: it is no Parquet file, or cannot be read.
    """
    given = pa.BufferReader(source) if isinstance(source, bytes) else source
    with pq.ParquetFile(given, pre_buffer=False) as file:
        return file.read(columns, use_threads=False)
