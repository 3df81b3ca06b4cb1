"""What a terminal is given to show."""

from __future__ import annotations

from stylebatch.flows.text import escape, named, warning_of


def test_a_terminal_obeys_no_name() -> None:
    assert escape("a\x1b]0;title\x07b\r.png") == "a\\x1b]0;title\\x07b\\r.png"
    assert escape("two\nlines, Tübingen 星") == "two\nlines, Tübingen 星"
    assert escape("[red]a.png") == "\\[red]a.png"


def test_a_line_names_a_few_and_counts_the_others() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_the_warning_says_how_many_which_and_what_to_do() -> None:
    assert warning_of(["a"]).startswith("in 1 picture hardly anything of its content")
    several = warning_of(["a", "b"])
    assert several.startswith("in 2 pictures hardly anything of their content")
    assert ": a, b; a higher content_weight" in several
