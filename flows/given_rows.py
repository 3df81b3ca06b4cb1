"""Rows from Python, carried out into a folder like a manifest's: cached, with a report, which comes back as a table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from stylebatch.flows.cached import carry_out_cached, prepare_here
from stylebatch.flows.prefect_server import configure, is_named
from stylebatch.flows.preparation import handing_over
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.manifest import check_columns
from stylebatch.tasks.request.renamed import renamed
from stylebatch.tasks.request.settings import check_settings, texts
from stylebatch.tasks.results.remote_store import open_store
from stylebatch.tasks.storage.files import read_bytes, write_atomically
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, as_parameter, is_url, to_place

ROWS = "rows.jsonl"  # in the run's folder, from which it can be reprocessed


def run(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    out: str | os.PathLike[str],
    *,
    refresh: bool = False,
    max_failures: int | None = None,
    trace: bool = False,
    devices: str = "auto",
    runner: Literal["threads", "dask", "ray"] = "threads",
    address: str = "",
    allow_http: bool = False,
    **settings: Any,
) -> pd.DataFrame:
    """Carry out rows into a folder, as ``stylebatch run`` does a manifest. What is done there is not done again.

    The rows are kept in the folder as the manifest ``rows.jsonl``, with absolute paths, so that ``status``,
    ``reprocess`` and ``gallery`` know the run.

    Args:
        rows: mappings, or a table, with a manifest's columns: ``content``, ``style``, and what else there is. Relative
            paths are relative to the working folder. Empty cells, ``None`` and NaN count as not given.
        out: the run's folder, by its path or URL.
        refresh: stylize every pair again, also those that are done.
        max_failures: failed rows at which to stop; those that are left are not in the report.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.
        devices: where to compute: ``auto``, ``cpu``, ``2×cpu``, ``cuda:0,cuda:1``.
        runner: what hands the pairs out: ``threads``, or a ``dask`` or ``ray`` cluster.
        address: of a cluster that goes on already.
        allow_http: let pictures be read from the web; never from a private address.
        settings: for all rows; they win over the rows' own.

    Returns:
        The report, a row for each of ``rows``, in their order. A row that failed says why in ``error``.

    Raises:
        BadRequest: there are no rows, a column or setting is not known, the folder cannot be written to, or the devices
            or the cluster are not there.
    """
    overrides = texts(settings)
    check_settings(overrides, "run")
    given = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows
    cleaned = [{str(name): _cell(value) for name, value in row.items() if not _is_missing(value)} for row in given]
    if not cleaned:
        raise BadRequest("rows: there are none")
    check_columns(Path("rows"), cleaned)
    folder = _folder(out)
    open_store(folder).create()
    manifest = folder / ROWS
    lines = (json.dumps(renamed(row, _absolute), default=str) for row in cleaned)
    write_atomically(manifest, "".join(f"{line}\n" for line in lines).encode())
    configure(verbose=False)
    needs_flow = refresh or runner != "threads" or is_named()
    prepared = None if needs_flow else prepare_here(manifest, folder, overrides, devices, allow_http)
    if prepared and prepared.is_done:
        carry_out_cached(prepared, trace, allow_http)
    else:
        from stylebatch.flows.stylize import stylize

        source, target = as_parameter(manifest), as_parameter(folder)
        with handing_over(prepared):
            stylize(source, target, overrides, refresh, max_failures, trace, devices, runner, address, allow_http)
    report: pd.DataFrame = read_parquet(read_bytes(folder / "report.parquet")).to_pandas()
    return report


def _folder(out: str | os.PathLike[str]) -> Place:
    try:
        return to_place(out)
    except BadInput as error:
        raise BadRequest(f"out: {error}") from None


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _cell(value: Any) -> Any:
    """A value as JSON has it: paths as texts, a table's numbers as Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {_cell(name): _cell(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cell(one) for one in value]
    return value.item() if hasattr(value, "item") else value


def _absolute(name: str) -> str:
    return name if is_url(name) else str(Path(name).absolute())
