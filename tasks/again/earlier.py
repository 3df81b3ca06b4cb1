"""An earlier run, read back from its folder: what it was asked for, and what became of each row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.changes import Changes, from_json
from stylebatch.tasks.runs.process import state_of
from stylebatch.tasks.runs.report import LAYER_COLUMN, Outcome, Outcomes
from stylebatch.tasks.storage.files import read_bytes
from stylebatch.tasks.storage.parquet import read_parquet
from stylebatch.tasks.storage.places import Place, to_place


@dataclass(frozen=True)
class Earlier:
    """A run as its folder tells of it.

    Attributes:
        rows: that it was asked for; those that it did not come to have no outcome.
        overrides: settings that won over the manifest's, for all rows.
        changes: settings that won over these, for some.
        report: the outcomes as their table.
    """

    manifest: Place
    rows: int
    overrides: dict[str, str]
    changes: Changes
    outcomes: Outcomes
    report: pa.Table


def read_earlier(folder: Place) -> Earlier:
    """Read ``run.json`` and ``report.parquet``.

    Raises:
        BadRequest: there is no run in the folder, its files cannot be read, or it still goes on.
    """
    try:
        run = json.loads(read_bytes(folder / "run.json"))
        report = read_parquet(read_bytes(folder / "report.parquet"))
        if state_of(run) == "running":
            raise BadRequest(
                f"a run is going on in {folder}, in process {run['process']} of {run['machine']['name']}; "
                "wait for its end, or stop it"
            )
        return Earlier(
            manifest=to_place(run["manifest"]),
            rows=run["rows"],
            overrides=dict(run["set"]),
            changes=from_json(run["set_rows"]),
            outcomes=Outcomes(_outcome(row) for batch in report.to_batches() for row in batch.to_pylist()),
            report=report,
        )
    except FileNotFoundError:
        raise BadRequest(f"there is no run in {folder}: it has no run.json with its report.parquet") from None
    except BadRequest:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        raise BadRequest(f"the run in {folder} cannot be read: {type(error).__name__}: {error}") from None


@lru_cache(maxsize=1024)
def _settings(text: str) -> Settings:
    return Settings.model_validate_json(text)


def _outcome(row: Mapping[str, Any]) -> Outcome:
    """The inverse of the report's writer."""
    record = None
    if row["status"] != "failed":
        layers = {
            name.removeprefix(LAYER_COLUMN): loss
            for name, loss in row.items()
            if name.startswith(LAYER_COLUMN) and loss is not None
        }
        known = {name: row[name] for name in Record.model_fields if name in row}
        record = Record.model_validate(known | {"settings": _settings(row["settings"]), "style_loss_by_layer": layers})
    return Outcome(
        row=row["row"],
        id=row["id"],
        content=row["content"],
        style=row["style"],
        status=row["status"],
        record=record,
        error_type=row["error_type"],
        error=row["error"],
        attempts=None if record else row["attempts"],
        tries=row.get("tries"),
        passed=row.get("passed"),
    )
