"""The main job: a manifest becomes pictures, grids and a report."""

# No annotations from the future: in a schedule's process, Prefect needs the types of the flow's parameters at once.

from dataclasses import replace
from typing import Annotated

from prefect.client.schemas.objects import State
from pydantic import Field

from stylebatch.flows.carry_out import carry_out
from stylebatch.flows.over_rows import over_rows, verdict
from stylebatch.flows.parameters import PlaceParameter
from stylebatch.flows.preparation import Prepared, handed_over, prepare, read_rows
from stylebatch.flows.runners import Placement, RunnerName, place
from stylebatch.flows.train import train_and_draw
from stylebatch.tasks.progress import watching
from stylebatch.tasks.request.settings import Overrides, check_settings, texts
from stylebatch.tasks.runs.report import Outcomes
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.engines import Choice


@over_rows(name="stylize", flow_run_name="{manifest.stem}")
def stylize(
    manifest: PlaceParameter,
    out: PlaceParameter,
    overrides: Overrides | None = None,
    refresh: bool = False,
    max_failures: Annotated[int, Field(ge=1)] | None = None,
    trace: bool = False,
    devices: str = "auto",
    runner: RunnerName = "threads",
    address: str = "",
    allow_http: bool = False,
    grids: bool = True,
    fail_from: Annotated[float, Field(ge=0, le=1)] = 0.0,
    first: Annotated[int, Field(ge=1)] | None = None,
) -> State[Outcomes]:
    """Carry out a manifest into a folder: pictures, grids, ``report.parquet`` and ``run.json``.

    Args:
        manifest: CSV, JSON Lines, Parquet or YAML, by its path or URL.
        out: the run's folder, by its path or URL.
        overrides: settings that win over the manifest's.
        refresh: stylize every pair again, also those that are done.
        max_failures: failed rows at which to stop; those that are left have no outcome.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.
        devices: where to compute: ``auto``, ``cpu``, ``2×cpu``, ``cuda:0,cuda:1``.
        runner: what hands the pairs out: threads of this process, or a Dask or Ray cluster.
        address: of a cluster that goes on already; without it, one is started on this machine for the run.
        allow_http: let pictures be read from the web; never from a private address.
        grids: draw the result grids.
        fail_from: share of failed rows, 0 to 1, from which on the run ends as failed in Prefect; with 0, one is enough.
        first: only so many of the manifest's rows, which a later run for all of them has then.

    Returns:
        What became of each row, in the manifest's order.

    Raises:
        BadRequest: the manifest cannot be read, a column or setting is not known, the folder cannot be written to,
            or the devices or the cluster are not there.
    """
    placement = place(devices, runner, address)
    prepared = handed_over() or _prepare(manifest, out, texts(overrides), refresh, placement, allow_http, first)
    outcomes = carry_out(prepared.work, prepared.ledger, placement, refresh, max_failures, trace, allow_http, grids)
    return verdict(outcomes, prepared.ledger.rows, fail_from)


def _prepare(
    manifest: Place,
    out: Place,
    given: dict[str, str],
    refresh: bool,
    placement: Placement,
    allow_http: bool,
    first: int | None,
) -> Prepared:
    check_settings(given, "--set")
    rows = read_rows(manifest, out, given, allow_http)
    # A cluster that goes on is not this machine, whose steps could be measured.
    train = None if placement.address else train_and_draw
    pairs, decisions = Choice(rows.manifest, rows.store, placement.slots, refresh, train).resolve(rows.pairs)
    watching().chose(decisions)
    # Only now, since an engine is chosen for all pictures of a style.
    return prepare(replace(rows, pairs=pairs).first(first), placement.slots, placement.names, refresh, decisions)
