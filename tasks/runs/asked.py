"""The settings of failed rows, which a report has only with a record, from the manifest of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.manifest import is_empty, names_of, read_manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.runs.changes import Changes
from stylebatch.tasks.storage.places import Place

# What the machine decides where a row does not.
CHOSEN = ("precision",)


def asked_settings(
    manifest: Place, overrides: Mapping[str, str], changes: Changes, report: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The settings that were asked for by the failed rows of a report, as far as they can be told.

    Args:
        overrides: settings that won over the manifest's, for all rows.
        changes: settings that won over these, for some.

    Returns:
        Id to settings. Rows are missing whose settings are not valid, or which the manifest does not have any more.
    """
    failed = [row for row in report if row["status"] == "failed"]
    if not failed:
        return {}
    try:
        asked = read_manifest(manifest).rows
    except BadRequest:
        return {}
    found = {}
    for row in failed:
        number = row["row"]
        if number <= len(asked) and names_of(asked[number - 1]) == (row["content"], row["style"]):
            found[row["id"]] = _settings(asked[number - 1], {**overrides, **changes.get(number, {})})
    return found


def _settings(asked: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if name in Settings.model_fields and not is_empty(value)}
    try:
        settings = Settings.model_validate({**given, **overrides})
    except ValidationError:
        return {}
    unknown = [name for name in CHOSEN if name not in settings.model_fields_set or getattr(settings, name) == "auto"]
    return settings.model_dump(mode="json", exclude=set(unknown))
