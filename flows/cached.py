"""A run of which everything is done: there is nothing to orchestrate, and neither Prefect nor a server is needed."""

from __future__ import annotations

from collections.abc import Mapping

from stylebatch.flows.interrupt import first_when_interrupted
from stylebatch.flows.preparation import Prepared, prepare, read_rows
from stylebatch.flows.settling import settle_known, wind_up
from stylebatch.tasks.devices.slots import make_slots
from stylebatch.tasks.progress import watching
from stylebatch.tasks.request.settings import check_settings
from stylebatch.tasks.results.remote_store import open_store
from stylebatch.tasks.runs.report import Outcomes
from stylebatch.tasks.storage.places import Place


def prepare_here(
    manifest: Place, out: Place, overrides: Mapping[str, str], devices: str, allow_http: bool, first: int | None = None
) -> Prepared | None:
    """`prepare` on this machine's devices; nothing where an engine is to be chosen, which may mean to train a network.

    Args:
        first: only so many of the rows.

    Raises:
        BadRequest: as the flow `stylize`.
    """
    slots = make_slots(devices)
    check_settings(overrides, "--set")
    rows = read_rows(manifest, out, overrides, allow_http)
    return prepare(rows.first(first), slots, [slot.device for slot in slots]) if rows.are_decided else None


def carry_out_cached(prepared: Prepared, trace: bool, allow_http: bool, grids: bool = True) -> Outcomes:
    """Leave what a run leaves whose rows are all done or bad: pictures, grids, report.

    Args:
        trace: also write the loss curves that there are, as ``traces.parquet``.
        allow_http: let the originals of the grids be read from the web.
        grids: draw them.
    """
    assert prepared.is_done
    ledger, store = prepared.ledger, open_store(prepared.ledger.folder)
    with first_when_interrupted(ledger.close), ledger:
        watching().damaged([])
        settle_known(prepared.work, ledger, store)
        watching().planned([], ledger.outcomes)
    wind_up(ledger, store, trace, allow_http, grids)
    return ledger.outcomes
