"""Ids: each part safe on every system, within the folder, and never in the place of another file."""

from __future__ import annotations

import pytest

from stylebatch.tasks.request.ids import LONGEST_ID, LONGEST_PATH, id_problem, safe_part

DEEP = "/".join(["x" * LONGEST_ID] * 5)


@pytest.mark.parametrize("name", ["a", "beach/a", "train/beach/img_0000", "a-{key}", "v1.5/a", "a.pngs/b"])
def test_an_id_may_be_a_path(name: str) -> None:
    assert id_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "not safe"),
        ("/a", "not safe"),
        ("a/", "not safe"),
        ("a//b", "not safe"),
        ("../a", "not safe"),
        ("a/../../b", "not safe"),
        ("a/./b", "not safe"),
        ("a/.b", "not safe"),
        ("a /b", "not safe"),
        ("a./b", "not safe"),
        ("a/con", "not safe"),
        ("NUL.x/a", "not safe"),
        ("c:/a", "not safe"),
        ("a\\b", "not safe"),
        ("a-{kez}", "not safe"),
        ("a/" + "x" * (LONGEST_ID + 1), f"longer than {LONGEST_ID} characters between two /"),
        (DEEP, f"longer than {LONGEST_PATH}"),
        ("a.png/b", "has a folder 'a.png', which ends as a picture does"),
        ("a/B.JPG/c", "has a folder 'B.JPG'"),
    ],
)
def test_no_part_of_an_id_is_unsafe(name: str, says: str) -> None:
    assert says in id_problem(name)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("img_0000", "img_0000"),
        ("n01440764_10026", "n01440764_10026"),
        ("a--b  c, d", "a--b  c, d"),
        ("IMG (1)", "IMG-1"),
        ("Hütte am See", "Hutte-am-See"),
        ("写真", "Xie-Zhen"),
        ("con", "_con"),
        (".hidden", "hidden"),
        ("…", "picture"),
        ("a.b.", "a.b"),
    ],
)
def test_a_name_becomes_a_safe_part_and_a_safe_one_stays(text: str, part: str) -> None:
    assert safe_part(text) == part
    assert id_problem(safe_part(text)) == ""


def test_a_part_that_is_too_long_keeps_both_its_ends() -> None:
    part = safe_part(f"begin-{'x' * 200}-end")
    assert (part[:6], part[-4:], len(part)) == ("begin-", "-end", LONGEST_ID)
