"""What a run has come to, in few words: for its state in Prefect, a schedule's line, and a notification."""

from __future__ import annotations

from stylebatch.flows.text import named
from stylebatch.tasks.runs.causes import Failure, by_cause
from stylebatch.tasks.runs.report import Outcomes, count
from stylebatch.tasks.storage.files import exists
from stylebatch.tasks.storage.places import Place, absolute

CAUSES = 5  # of failures that a message has room for
FOR_PEOPLE = ("gallery/index.html", "grids/sheets.pdf", "grids", "images")  # the first that is there


def in_a_sentence(outcomes: Outcomes, rows: int) -> str:
    """How many of so many rows are done, or failed or are left, with the first error."""
    failed, left = count(outcomes)["failed"], rows - len(outcomes)
    if not failed and not left:
        return f"{rows} of {rows} rows are done"
    first = min((one for one in outcomes if one.status == "failed"), key=lambda one: one.row, default=None)
    text = f"{failed} of {rows} rows failed" + (f", {left} are left" if left else "")
    return text + (f"; the first of them, row {first.row} ({first.id}): {first.error}" if first else "")


def in_counts(outcomes: Outcomes) -> str:
    """``3 completed, 5 cached, 0 failed``."""
    return ", ".join(f"{number} {status}" for status, number in count(outcomes).items())


def in_lines(outcomes: Outcomes, folder: Place) -> str:
    """The counts, the failures by their cause, and where to look."""
    failures = (Failure(one.id, one.error or "", one.content, one.style) for one in outcomes if one.status == "failed")
    causes = list(by_cause(failures).items())
    lines = [in_counts(outcomes), *(f"{len(ids)} failed: {cause} ({named(ids)})" for cause, ids in causes[:CAUSES])]
    if len(causes) > CAUSES:
        lines.append(f"and {len(causes) - CAUSES} more causes, in the report")
    there = next((folder / name for name in FOR_PEOPLE if exists(folder / name)), folder)
    return "\n".join([*lines, str(absolute(there))])
