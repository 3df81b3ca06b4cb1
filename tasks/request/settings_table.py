"""The table of settings in the docs, written from their model.

``python -m stylebatch.tasks.request.settings_table docs/settings.md`` writes it anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import write_atomically

BEGIN, END = "<!-- settings: `make settings` writes this table -->", "<!-- end of the settings -->"


def settings_table() -> str:
    """A row a setting, in the model's order: its name, its default as a cell would have it, what it does."""
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        description = (field.description or "").replace("|", "\\|")
        default = field.get_default(call_default_factory=True, validated_data={})
        rows.append(f"| `{name}` | {_written(default)} | {description} |")
    return "\n".join(rows) + "\n"


def _written(default: Any) -> str:
    if isinstance(default, Mapping):
        return f"`{', '.join(key if value == 1 else f'{key}:{value:g}' for key, value in default.items())}`"
    if isinstance(default, str):
        return f"`{default}`"
    return f"{default:g}" if isinstance(default, float) else str(default)


def with_table(text: str) -> str:
    """``text`` with the table between its two markers.

    Raises:
        ValueError: the markers are not there, each once and in their order.
    """
    parts = re.split(f"({re.escape(BEGIN)}\n|{re.escape(END)})", text)
    if parts[1::2] != [f"{BEGIN}\n", END]:
        raise ValueError(f"the text needs one line {BEGIN!r} and after it one line {END!r}")
    return f"{parts[0]}{parts[1]}{settings_table()}{END}{parts[4]}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    write_atomically(file, with_table(file.read_text("utf-8")).encode())
