"""What carrying out a run again would do, and why: everything is looked at, nothing is computed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stylebatch.tasks.again.earlier import Earlier, read_earlier
from stylebatch.tasks.again.picks import picked
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest, is_empty, names_of, read_manifest
from stylebatch.tasks.request.row_table import RowTable
from stylebatch.tasks.request.settings import Settings, check_settings
from stylebatch.tasks.request.where import choose
from stylebatch.tasks.results.remote_store import open_store
from stylebatch.tasks.runs.changes import Changes
from stylebatch.tasks.runs.gate import Kept, decide, keys_of
from stylebatch.tasks.runs.report import Outcome, refused
from stylebatch.tasks.runs.work import Work
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.engines import Choice

DIGESTS = ("content", "style", "masks", "weights", "model")  # what a record has a digest of


@dataclass(frozen=True)
class Plan:
    """What is to be done with an earlier run.

    Attributes:
        manifest: as it is now, with the settings of earlier calls and of this one in its rows.
        overrides: those of them that go to all rows.
        changes: those that go to some.
        before: the earlier outcomes, by the manifest's rows of today.
        reasons: the ids of the rows that are to be computed, by the reason why.
        unchanged: rows whose results are there already.
        left_alone: rows that were not chosen.
        gone: rows of the earlier run that the manifest does not have any more.
        decisions: which engine was taken for each style that leaves it open, and why.
    """

    manifest: Manifest
    overrides: dict[str, str]
    changes: Changes
    work: Work
    before: dict[int, Outcome]
    reasons: dict[str, list[str]]
    unchanged: int
    left_alone: int
    gone: int
    decisions: Sequence[str]


def make_plan(
    folder: Place,
    failed: bool,
    where: str,
    overrides: Mapping[str, str],
    slot: Slot,
    allow_http: bool = False,
    only: Place | None = None,
) -> Plan:
    """Look at an earlier run's manifest, pictures and results as they are now.

    Args:
        failed: choose the rows that failed.
        where: choose the rows for which this condition on the report's columns holds; empty for no condition.
        overrides: new settings for the rows that are chosen: all of them, where nothing chooses.
        slot: what the settings are resolved for.
        allow_http: let pictures be read from the web.
        only: choose the rows that this manifest names.

    Raises:
        BadRequest: the folder has no run that could be carried out again, its manifest is gone, a setting is not
            known or allowed, or the condition cannot be read.
    """
    check_settings(overrides, "--set")
    earlier = read_earlier(folder)
    asked = read_manifest(earlier.manifest, allow_http)
    before = _match(asked.rows, earlier)
    numbers = range(1, len(asked.rows) + 1)
    chosen = set(numbers)
    if failed:
        chosen &= {row for row, outcome in before.items() if outcome.status == "failed"}
    if where:
        meant = set(choose(earlier.report, where)["row"].to_pylist())
        chosen &= {row for row, outcome in before.items() if outcome.row in meant}

    if only:
        meant = picked(only, earlier.outcomes)
        chosen &= {row for row, outcome in before.items() if outcome.row in meant}

    general = dict(earlier.overrides)
    changes = {row: dict(earlier.changes[one.row]) for row, one in before.items() if one.row in earlier.changes}
    if failed or where or only:
        changes |= {row: changes.get(row, {}) | dict(overrides) for row in chosen if overrides}
    else:
        general |= overrides
        kept = {row: {k: v for k, v in one.items() if k not in overrides} for row, one in changes.items()}
        changes = {row: one for row, one in kept.items() if one}
    rows = (raw | general | changes.get(row, {}) for row, raw in zip(numbers, asked.rows, strict=True))
    manifest = Manifest(asked.path, RowTable(rows), allow_http)

    kept_outcomes = {row: _left(row, outcome) for row, outcome in before.items()}
    left = [outcome for row, outcome in kept_outcomes.items() if row not in chosen]
    pairs, bad_rows = check_rows(manifest, {})
    pairs, decisions = Choice(manifest, open_store(folder), [slot]).resolve(pairs)  # by the networks that there are
    taken = [outcome.id for outcome in left]
    jobs, vanished = make_jobs(manifest, [pair for pair in pairs if pair.row in chosen], slot, taken)
    known = open_store(folder).find_all(key for job in jobs for key in keys_of(job))
    bad = [refused(row) for row in (*bad_rows, *vanished) if row.row in chosen]
    reasons: dict[str, list[str]] = defaultdict(list)
    decided = [decide(job, known) for job in jobs]
    for todo in decided:
        if isinstance(todo, Job):
            reasons[_reason(todo, before.get(todo.row), earlier)].append(todo.id)
    return Plan(
        manifest=manifest,
        overrides=general,
        changes=changes,
        work=Work(jobs, known, [*left, *bad]),
        before=kept_outcomes,
        reasons=dict(reasons) | ({"bad input, to be put right first": [one.id for one in bad]} if bad else {}),
        unchanged=sum(isinstance(one, Kept) for one in decided),
        left_alone=len(asked.rows) - len(chosen),
        gone=len(earlier.outcomes) - len(before),
        decisions=decisions,
    )


def _left(row: int, outcome: Outcome) -> Outcome:
    """The outcome of a row that is not chosen, or not come to, as one of this run."""
    return replace(outcome, row=row, status="cached" if outcome.record else "failed")


def _reason(job: Job, before: Outcome | None, earlier: Earlier) -> str:
    if before is None:
        unfinished = len(earlier.outcomes) < earlier.rows and job.row <= earlier.rows
        return "not done yet" if unfinished else "new in the manifest"
    record = before.record
    if record is None:
        return "failed before"
    if record.key == job.key:
        return "its result is gone or damaged"
    if other := [name for name in DIGESTS if getattr(record, f"{name}_sha256") != getattr(job, f"{name}_sha256")]:
        return f"{' and '.join(other)} changed"
    names = [name for name in Settings.model_fields if getattr(record.settings, name) != getattr(job.settings, name)]
    return f"other settings: {', '.join(names)}" if names else "start picture or engine changed"


def _match(rows: Sequence[Mapping[str, Any]], earlier: Earlier) -> dict[int, Outcome]:
    """The earlier outcomes by the manifest's rows of today: by their ids, their places, or their pictures' names."""
    outcomes = {outcome.row: outcome for outcome in earlier.outcomes}
    by_id = {outcome.id: outcome.row for outcome in earlier.outcomes}
    found: dict[int, Outcome] = {}
    todo: dict[int, list[tuple[str, str]]] = {}
    for row, raw in enumerate(rows, start=1):
        there = by_id.get(str(raw["id"])) if not is_empty(raw.get("id")) else None
        if there in outcomes:
            found[row] = outcomes.pop(there)
        else:
            todo[row] = _all_names(raw)
    for row, names in todo.items():
        if row in outcomes and (outcomes[row].content, outcomes[row].style) in names:
            found[row] = outcomes.pop(row)
    waiting: dict[tuple[str, str], deque[Outcome]] = defaultdict(deque)
    for outcome in outcomes.values():
        waiting[outcome.content, outcome.style].append(outcome)
    for row, names in todo.items():
        if row not in found and (known := next((one for one in names if waiting[one]), None)):
            found[row] = waiting[known].popleft()
    return found


def _all_names(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Content and style that a row may have in a report: with a condition, any of its styles."""
    others = row.get("next_styles") or []
    return [names_of(row), *(names_of({**row, "style": other}) for other in others if isinstance(others, list))]
