"""The report: one typed row a manifest row, as Parquet, and ``run.json`` beside it."""

from __future__ import annotations

import io
import json
import os
import platform
from collections import Counter, UserList, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from stylebatch.tasks.errors import told
from stylebatch.tasks.nst.layers import LAYERS
from stylebatch.tasks.pictures.formats import ENDINGS, FormatName
from stylebatch.tasks.plan.key import ENGINE
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.request.text import as_utf8
from stylebatch.tasks.results.folders import IMAGES
from stylebatch.tasks.results.record import Record
from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.varying import Varying
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place, without_secrets

if TYPE_CHECKING:
    from stylebatch.tasks.plan.jobs import Job
    from stylebatch.tasks.plan.rows import BadRow

BATCH = 10_000  # rows in memory at a time, and in a row group
LAYER_COLUMN = "style_loss_"
OWN = ("id", "content", "style", "status", "error_type", "error")  # columns that an outcome has without a record
Status = Literal["completed", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one manifest row: a record, or an error."""

    row: int
    id: str
    content: str
    style: str
    status: Status
    record: Record | None = None
    error_type: str | None = None
    error: str | None = None
    attempts: int | None = None  # of a pair that failed
    tries: int | None = None  # pictures that were looked at, and whether this one passed, where there is a condition
    passed: bool | None = None

    @property
    def output(self) -> str | None:
        """The picture, relative to the run's folder."""
        return output_of(self.id, self.record.format) if self.record else None


class Outcomes(UserList[Outcome]):
    """What became of a run's rows.

    Not a plain list, since a flow returns it: Prefect looks for futures in every field of all that lies in a list,
    which takes a minute where there are a hundred thousand rows.
    """


def output_of(name: str, file_format: FormatName) -> str:
    """Where the picture with this id lies, relative to the run's folder."""
    return f"{IMAGES}/{name}{ENDINGS[file_format]}"


def settled(job: Job, result: Record | Exception, status: Status, attempts: int | None = None) -> Outcome:
    """The outcome of a job: ``status`` where the result is a record, or an error after so many attempts."""
    if isinstance(result, Record):
        return Outcome(job.row, job.id, job.content_name, job.style_name, status, result)
    name = type(result).__name__
    text = told(result)
    text = without_secrets(text or name)
    return Outcome(job.row, job.id, job.content_name, job.style_name, "failed", None, name, text, attempts)


def refused(row: BadRow) -> Outcome:
    """The outcome of a row that never became a job."""
    name = row.id or f"row-{row.row}"
    return Outcome(row.row, name, row.content, row.style, "failed", None, "BadInput", row.message)


def _schema(layers: Iterable[str], varying: Varying) -> pa.Schema:
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    return pa.schema(
        [
            *((name, text) for name in OWN),
            *((name, real) for name in ("total_loss", "content_loss", "style_loss", "tv_loss")),
            *((LAYER_COLUMN + layer, real) for layer in layers),
            ("optimizer_loss", real),
            ("structure", real),
            ("style_distance", real),
            ("content_lost", pa.bool_()),
            ("far_from_training", pa.bool_()),
            ("steps", whole),
            ("seconds", real),
            ("device", text),
            ("precision", text),
            ("width", whole),
            ("height", whole),
            ("seed", whole),
            ("network", text),
            ("attempts", whole),
            ("tries", whole),
            ("passed", pa.bool_()),
            *((name, text) for name in ("key", "output", "output_sha256", "content_sha256", "style_sha256")),
            *((name, text) for name in ("masks_sha256", "weights_sha256", "model_sha256")),
            ("settings", text),
            ("finished_at", pa.timestamp("us", tz="UTC")),
            ("row", whole),
            *varying.fields,
        ]
    )


class _Columns:
    """Outcomes as a table; what comes of the settings is made once for all that share them."""

    def __init__(self, schema: pa.Schema, settings: Mapping[int, Settings], varying: Varying) -> None:
        """``settings`` are those of all outcomes by their identity."""
        self._schema = schema
        self._places = {identity: place for place, identity in enumerate(settings)}
        rows = [
            one.model_dump(include={"precision", "seed", "network"})
            | {"settings": one.model_dump_json()}
            | varying.row(one)
            for one in settings.values()
        ]
        self._of_settings = {
            field.name: pa.array([row[field.name] for row in rows], field.type)
            for field in schema
            if field.name in _OF_SETTINGS or field.name in varying.names
        }

    def __call__(self, outcomes: Sequence[Outcome]) -> list[pa.Array]:
        """The columns, in the schema's order."""
        records = [outcome.record for outcome in outcomes]
        places = pa.array([record and self._places[id(record.settings)] for record in records], pa.int64())

        def column(name: str) -> Iterable[Any]:
            if name in OWN:
                texts = map(attrgetter(name), outcomes)
                return (text and as_utf8(text) for text in texts)
            if name == "attempts":
                return ((one.record or one).attempts for one in outcomes)
            if name in _OF_OUTCOMES:
                return map(attrgetter(name), outcomes)
            if name.startswith(LAYER_COLUMN):
                layer = name.removeprefix(LAYER_COLUMN)
                return (record and record.style_loss_by_layer.get(layer) for record in records)
            return (record and getattr(record, name) for record in records)

        return [
            self._of_settings[field.name].take(places)
            if field.name in self._of_settings
            else pa.array(column(field.name), field.type)
            for field in self._schema
        ]


_OF_SETTINGS = ("precision", "seed", "network", "settings")
_OF_OUTCOMES = ("row", "output", "tries", "passed")


def write_report(outcomes: Iterable[Outcome], path: Place, own: OwnColumns | None = None) -> None:
    """Write the report in the manifest's order, whole or not at all.

    Args:
        own: people's own columns of the manifest's rows.
    """
    own = own or OwnColumns()
    ordered = sorted(outcomes, key=attrgetter("row"))
    used = {layer for outcome in ordered if outcome.record for layer in outcome.record.style_loss_by_layer}
    distinct = {id(outcome.record.settings): outcome.record.settings for outcome in ordered if outcome.record}
    varying = Varying(list(distinct.values()))
    schema = _schema((layer for layer in LAYERS if layer in used), varying)
    columns, whole_schema = _Columns(schema, distinct, varying), pa.schema([*schema, *own.fields])
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, whole_schema) as writer:
        for start in range(0, len(ordered), BATCH):  # a hundred thousand rows as Python's objects take 300 MB
            batch = ordered[start : start + BATCH]
            added = own.take(outcome.row for outcome in batch)
            writer.write_table(pa.Table.from_arrays([*columns(batch), *added], schema=whole_schema))
    write_atomically(path, buffer.getvalue())


def count(outcomes: Iterable[Outcome]) -> dict[Status, int]:
    """How many rows ended in each way."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {status: counts[status] for status in ("completed", "cached", "failed")}


def shown(loss: float | None) -> str:
    """A loss as people read it: three digits of a balanced one, which is about 1, and whole ones of thousands."""
    if loss is None:
        return "not judged"
    return f"{loss:,.0f}" if loss >= 100 else f"{loss:.3g}"


def far_from_training(outcomes: Iterable[Outcome]) -> list[str]:
    """The ids of the pictures that a tuned network has painted at sizes that it was not trained for."""
    return [outcome.id for outcome in outcomes if outcome.record and outcome.record.far_from_training]


def content_lost(outcomes: Iterable[Outcome]) -> list[str]:
    """The ids of the pictures in which a person hardly recognizes the content any more."""
    return [outcome.id for outcome in outcomes if outcome.record and outcome.record.content_lost]


def not_passed(outcomes: Iterable[Outcome]) -> list[str]:
    """The ids of the pictures that do not fulfil their row's condition, and are the nearest to it."""
    return [outcome.id for outcome in outcomes if outcome.passed is False]


def _ran_on(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """How many pairs each device of each machine computed in this run, and in how many seconds."""
    # By key: rows that ask for the same picture were computed once.
    computed = {one.record.key: one.record for one in outcomes if one.record and one.status == "completed"}
    places: dict[tuple[str | None, str], list[float]] = defaultdict(list)
    for record in computed.values():
        places[record.machine, record.device].append(record.seconds)
    return [
        {"machine": machine, "device": device, "pairs": len(seconds), "seconds": round(sum(seconds), 1)}
        for (machine, device), seconds in places.items()
    ]


def write_run(path: Place, outcomes: Sequence[Outcome], asked: Mapping[str, Any]) -> None:
    """Write ``run.json``: what was ``asked``, what it ran on, and how it went."""
    packages = ("stylebatch", "torch", "prefect", "pillow", "pyarrow")
    run = {
        **asked,
        "updated_at": datetime.now(UTC).isoformat(),
        "counts": count(outcomes),
        "ran_on": _ran_on(outcomes),
        "engine": ENGINE,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "machine": {"name": platform.node(), "system": platform.platform(), "cores": os.cpu_count()},
    }
    write_atomically(path, (json.dumps(run, indent=2) + "\n").encode())
