"""Names and errors as a terminal can show them: as text, whatever characters they have."""

from __future__ import annotations

from rich import markup


def escape(text: str) -> str:
    """``text`` without a meaning for Rich, and with its control characters, which a terminal would obey, spelt out."""
    shown = "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
    return markup.escape(shown)
