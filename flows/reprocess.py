"""An earlier run again: what is missing, failed or changed, or the rows that are chosen, perhaps with new settings."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.carry_out import carry_out
from tasks.devices import available_devices
from tasks.ledger import Ledger
from tasks.progress import watcher
from tasks.report import Outcomes
from tasks.reprocess import make_plan
from tasks.store import Store


@flow(name="reprocess", task_runner=ThreadPoolTaskRunner())  # type: ignore[arg-type]  # a fault of Prefect's types
def reprocess(
    run_dir: Path,
    failed: bool = False,
    where: str = "",
    overrides: dict[str, str] | None = None,
    max_failures: int | None = None,
    trace: bool = False,
) -> Outcomes:
    """Carry out an earlier run again, in its folder. Results whose key did not change are not computed again.

    Args:
        run_dir: the run's folder.
        failed: only rows that failed.
        where: only rows for which this condition on the report's columns holds.
        overrides: new settings for the rows that are chosen; all of them, where nothing chooses.
        max_failures: failed rows at which to stop; those that are left have no outcome.
        trace: also keep the loss curves of the pairs that are stylized, as ``traces.parquet``.

    Returns:
        The newest of what became of each row, in the manifest's order.

    Raises:
        BadRequest: there is no run that could be carried out again, a setting is not known, the condition cannot be
            read, or the folder cannot be written to.
    """
    devices = available_devices()
    plan = make_plan(run_dir, failed, where, overrides or {}, devices[0])
    Store(run_dir).create()
    watcher.get().intended(plan)
    asked = plan.manifest
    ledger = Ledger(run_dir, asked.path, len(asked.rows), plan.overrides, devices, plan.changes, plan.before)
    return carry_out(plan.work, ledger, devices, False, max_failures, trace)
