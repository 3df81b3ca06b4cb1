"""``traces.parquet``: the loss curves of all rows of a run."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.results.remote_store import AnyStore
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.storage.cache import as_file, fetch_ahead
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place

# What every table of curves has, and one without any curve too, so that it can be read like the others.
_NO_CURVES = pa.schema(
    [("id", pa.string()), ("key", pa.string()), ("step", pa.int64())]
    + [(name, pa.float64()) for name in ("seconds", "total_loss", "content_loss", "style_loss", "tv_loss")]
).empty_table()


def write_traces(outcomes: Sequence[Outcome], store: AnyStore, path: Place) -> int:
    """Write the curves of all rows that have one, a row a step, headed by the manifest row's id and key.

    Returns:
        How many finished rows have no curve, since they were stylized without being traced.
    """
    tables, without = [_NO_CURVES], 0
    fetch_ahead(store.trace(outcome.record.key) for outcome in outcomes if outcome.record)
    for outcome in outcomes:
        if outcome.record is None:
            continue
        try:
            with as_file(store.trace(outcome.record.key)) as file:
                curve = read_parquet(file)
        except (OSError, BadInput, pa.ArrowException):
            without += 1
            continue
        names = {"id": outcome.id, "key": outcome.record.key}
        for position, (name, value) in enumerate(names.items()):
            curve = curve.add_column(position, name, pa.repeat(value, len(curve)))
        tables.append(curve)
    buffer = io.BytesIO()
    pq.write_table(pa.concat_tables(tables, promote_options="default"), buffer)
    write_atomically(path, buffer.getvalue())
    return without
