"""Names, errors, warnings and times in words for people, as a terminal can show them, whatever characters they have."""

from __future__ import annotations

from collections.abc import Sequence

from rich import markup

NAMED = 5  # names that a line has room for; the report has them all


def escape(text: str) -> str:
    """``text`` without a meaning for Rich, and with its control characters, which a terminal would obey, spelt out."""
    shown = "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)
    return markup.escape(shown)


def named(ids: Sequence[str]) -> str:
    """The first of some ids, and how many more there are."""
    return ", ".join(ids[:NAMED]) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")


def warning_of(lost: Sequence[str]) -> str:
    """That the pictures with these ids hardly show their content any more, and what to do."""
    pictures, their = ("1 picture", "its") if len(lost) == 1 else (f"{len(lost)} pictures", "their")
    return (
        f"in {pictures} hardly anything of {their} content is recognized (content_lost in the report): {named(lost)}; "
        "a higher content_weight keeps more of it, and in one pass a lower strength"
    )


def far_warning_of(far: Sequence[str]) -> str:
    """That tuned networks have painted the pictures with these ids at sizes that they were not trained for."""
    pictures = "1 picture was" if len(far) == 1 else f"{len(far)} pictures were"
    return (
        f"{pictures} painted by a network that was tuned for other sizes (far_from_training in the report): "
        f"{named(far)}; their strokes are too fine or too coarse, so tune one with --set size=… of these pictures"
    )


def duration(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
