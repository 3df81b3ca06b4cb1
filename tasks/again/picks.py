"""``--only``: the rows that another manifest names, such as the picks of a gallery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.manifest import is_empty, names_of, read_manifest
from stylebatch.tasks.request.settings import nearest
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.storage.places import Place


def picked(file: Place, outcomes: Sequence[Outcome]) -> set[int]:
    """The rows of a run that a manifest names: by their ids, or where it has none by content and style.

    Args:
        file: a manifest in any format. Its settings are those that its rows had, and give no new ones.

    Returns:
        Numbers of rows, as the outcomes have them.

    Raises:
        BadRequest: the file cannot be read, or one of its rows names nothing that the run has.
    """
    by_id = {outcome.id: outcome.row for outcome in outcomes}
    by_names: dict[tuple[str, str], set[int]] = defaultdict(set)
    for outcome in outcomes:
        by_names[outcome.content, outcome.style].add(outcome.row)
    rows: set[int] = set()
    for number, asked in enumerate(read_manifest(file).rows, start=1):
        if not is_empty(asked.get("id")):
            name = str(asked["id"])
            found = {by_id[name]} if name in by_id else set()
            what = f"with the id {name!r}{nearest(name, by_id)}"
        else:
            found = by_names.get(names_of(asked), set())
            what = "of that content and style; name the row by its id"
        if not found:
            raise BadRequest(f"--only {file}, row {number}: the run has no row {what}")
        rows |= found
    return rows
