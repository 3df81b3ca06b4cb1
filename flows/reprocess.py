"""An earlier run again: what is missing, failed or changed, or the rows that are chosen, perhaps with new settings."""

# No annotations from the future: in a worker's process, Prefect needs the types of the flow's parameters at once.

from typing import Annotated

from prefect.client.schemas.objects import State
from pydantic import Field

from stylebatch.flows.carry_out import carry_out
from stylebatch.flows.over_rows import over_rows, verdict
from stylebatch.flows.parameters import PlaceParameter
from stylebatch.flows.runners import RunnerName, place
from stylebatch.tasks.again.reprocess import make_plan
from stylebatch.tasks.progress import watching
from stylebatch.tasks.request.settings import Overrides, texts
from stylebatch.tasks.results.remote_store import open_store
from stylebatch.tasks.runs.ledger import Ledger
from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.report import Outcomes


@over_rows(name="reprocess", flow_run_name="{run_dir.name}")
def reprocess(
    run_dir: PlaceParameter,
    failed: bool = False,
    where: str = "",
    overrides: Overrides | None = None,
    max_failures: Annotated[int, Field(ge=1)] | None = None,
    trace: bool = False,
    devices: str = "auto",
    runner: RunnerName = "threads",
    address: str = "",
    allow_http: bool = False,
    only: PlaceParameter | None = None,
    grids: bool = True,
    fail_from: Annotated[float, Field(ge=0, le=1)] = 0.0,
) -> State[Outcomes]:
    """Carry out an earlier run again, in its folder. Results whose key did not change are not computed again.

    Args:
        run_dir: the run's folder, by its path or URL.
        failed: only rows that failed.
        where: only rows for which this condition on the report's columns holds.
        overrides: new settings for the rows that are chosen; all of them, where nothing chooses.
        max_failures: failed rows at which to stop; those that are left have no outcome.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.
        devices: where to compute: ``auto``, ``cpu``, ``2×cpu``, ``cuda:0,cuda:1``.
        runner: what hands the pairs out: threads of this process, or a Dask or Ray cluster.
        address: of a cluster that goes on already; without it, one is started on this machine for the run.
        allow_http: let pictures be read from the web; never from a private address.
        only: only the rows that this manifest names, such as the picks of a gallery.
        grids: draw the result grids.
        fail_from: share of failed rows, 0 to 1, from which on the run ends as failed in Prefect; with 0, one is enough.

    Returns:
        The newest of what became of each row, in the manifest's order.

    Raises:
        BadRequest: there is no run that could be carried out again, a setting is not known, the condition cannot be
            read, the folder cannot be written to, or the devices or the cluster are not there.
    """
    placement = place(devices, runner, address)
    plan = make_plan(run_dir, failed, where, texts(overrides), placement.slots[0], allow_http, only)
    open_store(run_dir).create()
    watching().intended(plan)
    asked = plan.manifest
    watching().chose(plan.decisions)
    ledger = Ledger(
        run_dir,
        asked.path,
        len(asked.rows),
        plan.overrides,
        placement.names,
        plan.changes,
        plan.before,
        plan.decisions,
        OwnColumns(asked.rows),
    )
    outcomes = carry_out(plan.work, ledger, placement, False, max_failures, trace, allow_http, grids)
    return verdict(outcomes, len(asked.rows), fail_from)
