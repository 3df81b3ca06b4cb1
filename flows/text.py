"""Names, errors and times as a terminal can show them: as text, whatever characters they have."""

from __future__ import annotations

from collections.abc import Sequence

from rich import markup

NAMED = 5  # ids that a screen has room for


def escape(text: str) -> str:
    """``text`` without a meaning for Rich, and with its control characters, which a terminal would obey, spelt out."""
    shown = "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
    return markup.escape(shown)


def named(ids: Sequence[str]) -> str:
    """The first of some ids, and how many more there are."""
    return escape(", ".join(ids[:NAMED])) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")


def duration(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
