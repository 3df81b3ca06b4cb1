"""What a terminal is given to show."""

from __future__ import annotations

from stylebatch.flows.text import escape


def test_a_terminal_obeys_no_name() -> None:
    assert escape("a\x1b]0;title\x07b\r.png") == "a\\x1b]0;title\\x07b\\r.png"
    assert escape("two\nlines, Tübingen 星") == "two\nlines, Tübingen 星"
    assert escape("[red]a.png") == "\\[red]a.png"
