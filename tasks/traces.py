"""``traces.parquet``: the loss curves of all rows of a run."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.files import write_atomically
from tasks.report import Outcome
from tasks.store import Store


def write_traces(outcomes: Iterable[Outcome], store: Store, path: Path) -> int:
    """Write the curves of all rows that have one, a row a step, headed by the manifest row's id and key.

    Returns:
        How many finished rows have no curve, since they were stylized without being traced.
    """
    tables, without = [], 0
    for outcome in outcomes:
        if outcome.record is None:
            continue
        try:
            curve = pq.read_table(store.trace(outcome.record.key))
        except (OSError, pa.ArrowException):
            without += 1
            continue
        names = {"id": outcome.id, "key": outcome.record.key}
        for position, (name, value) in enumerate(names.items()):
            curve = curve.add_column(position, name, pa.repeat(value, len(curve)))
        tables.append(curve)
    buffer = io.BytesIO()
    pq.write_table(pa.concat_tables(tables, promote_options="default") if tables else pa.table({}), buffer)
    write_atomically(path, buffer.getvalue())
    return without
