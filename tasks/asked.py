"""The settings of failed rows, which a report without their records does not have, from the manifest of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.errors import BadInput, BadRequest
from tasks.manifest import is_empty, read_manifest
from tasks.settings import Settings
from tasks.styles import parse_styles, written

# What the machine decides where a row does not.
_CHOSEN = ("precision", "history")


def asked_settings(manifest: Path, overrides: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that were asked for by the failed rows of a report, as far as they can be told.

    Args:
        overrides: settings that won over the manifest's.
        rows: the whole report, in its order.

    Returns:
        Id to settings. Rows are missing whose settings are not valid, that cannot be found in the manifest, or whose
        manifest has become another one.
    """
    failed = [(place, row) for place, row in enumerate(rows) if row["status"] == "failed" and not row.get("settings")]
    if not failed:
        return {}
    try:
        written_rows = read_manifest(manifest).rows
    except BadRequest:
        return {}
    complete = len(written_rows) == len(rows)
    # A row that was refused and has no id is called by its number.
    places = {f"row-{number}": number - 1 for number in range(1, len(written_rows) + 1)}
    places |= {str(row["id"]): place for place, row in enumerate(written_rows) if not is_empty(row.get("id"))}
    found = {}
    for place, row in failed:
        asked = place if complete else places.get(row["id"])
        if asked is not None and _is_same(written_rows[asked], row):
            found[row["id"]] = _settings(written_rows[asked], overrides)
    return found


def _is_same(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a manifest's row is the one that the report tells of."""
    try:
        style = written(parse_styles(asked.get("style", "")))
    except BadInput:
        style = str(asked.get("style", ""))
    return (str(asked.get("content", "")), style) == (row.get("content") or "", row.get("style") or "")


def _settings(asked: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if name in Settings.model_fields and not is_empty(value)}
    try:
        settings = Settings.model_validate({**given, **overrides})
    except ValidationError:
        return {}
    unknown = [name for name in _CHOSEN if name not in settings.model_fields_set or getattr(settings, name) == "auto"]
    return settings.model_dump(mode="json", exclude=set(unknown))
