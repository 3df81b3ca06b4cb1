"""A manifest on a schedule, by Prefect's own `serve`: what is new since the last time is stylized."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.settings import PREFECT_API_URL
from prefect.types.entrypoint import EntrypointType

from stylebatch.flows.prefect_server import NamedServer
from stylebatch.flows.served import tell
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.storage.places import Place, absolute

# The flow, but that its runs tell of themselves. Their processes find it by its module and name.
served: Any = stylize.with_options(on_completion=[tell], on_failure=[tell], on_crashed=[tell])
served.__module__, served.__name__ = __name__, "served"


def serve(
    manifest: Place,
    out: Place,
    overrides: dict[str, str],
    cron: str | None,
    interval: float | None,
    allow_http: bool = False,
    fail_from: float = 0.0,
) -> None:
    """Serve a deployment of `stylize` until the process is ended; each run is a process of its own.

    A run that is due while another still goes on is cancelled: the next one takes in what is new.

    Args:
        manifest: what to carry out.
        out: the folder for the results, the same each time.
        overrides: settings that win over the manifest's.
        cron: when, as in a crontab, in UTC.
        interval: seconds between two starts, instead.
        allow_http: let pictures be read from the web.
        fail_from: share of failed rows from which on a run ends as failed; with 0, one is enough.

    Raises:
        BadRequest: Prefect has no server to keep the schedule, it does not answer, or ``cron`` cannot be read.
    """
    if not (url := PREFECT_API_URL.value()):
        raise BadRequest(
            "a schedule needs a Prefect server: run `prefect server start`, and set "
            "PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
    try:
        served.serve(
            name=manifest.stem,
            cron=cron,
            interval=interval,
            parameters={
                "manifest": str(absolute(manifest)),
                "out": str(absolute(out)),
                "overrides": overrides,
                "allow_http": allow_http,
                "fail_from": fail_from,
            },
            global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            print_starting_message=False,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
    except ValueError as error:
        given = f"--cron {cron}" if cron else f"--interval {interval}"
        raise BadRequest(f"{given}: {str(error).splitlines()[-1]}") from None
    except Exception:
        NamedServer(url).wait()  # which says so, if that is what is wrong
        raise
