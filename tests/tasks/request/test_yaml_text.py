"""YAML without guesses: texts as they are written, no key twice, and an error that says where and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.request.yaml_text import WrongYaml, read_yaml

WRITTEN = [
    "001",
    "010",
    "1_000",
    "12:30",
    "no",
    "Yes",
    "on",
    "1e3",
    "0x1F",
    "0o17",
    "2026-11-25",
    "5e-3",
    "1.0",
    "true",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_is_as_it_is_written(text: str, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "picture.png")
    (tmp_path / text.replace(":", "")).write_bytes((tmp_path / "picture.png").read_bytes())
    path = tmp_path / "rows.yaml"
    name = text.replace(":", "")
    path.write_text(
        f"pairs:\n- {{id: {name}, content: {name}, style: {{{name}: 2, picture.png: 1}}, init: {name}, size: 64}}\n"
        f"contents: [{name}]\nstyles:\n- {name}\n"
    )
    manifest = read_manifest(path)
    assert [row["content"] for row in manifest.rows] == [name, name]
    assert manifest.rows[1]["style"] == name
    pairs, bad_rows = check_rows(manifest, {})
    assert not [bad for bad in bad_rows if bad.row == 1], bad_rows
    assert (pairs[0].id, pairs[0].content, pairs[0].styles[0].name, pairs[0].settings.init) == (name,) * 4
    assert pairs[0].settings.size == 64
    assert read_yaml(f"id: {text}") == {"id": text}
    assert read_yaml(f"{text}: id") == {text: "id"}


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_what_is_left_empty_says_nothing(nothing: str) -> None:
    assert read_yaml(f"id: {nothing}") == {"id": None}
    assert read_yaml('id: "null"') == {"id": "null"}


def test_merged_keys_may_be_written_over() -> None:
    text = "defaults: &all {size: 64, steps: 2}\npairs: [{<<: *all, steps: 3}]\n"
    assert read_yaml(text)["pairs"] == [{"size": "64", "steps": "3"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pairs: [{a: b}]\npairs: [{a: c}]\n", "line 2, column 1: 'pairs' is given twice"),
        ("pairs:\n- {content: a, style: b, content: c}\n", "line 2, column 26: 'content' is given twice"),
        ("defaults:\n  size: 64\n  'size': 96\n", "line 3, column 3: 'size' is given twice"),
        ("pairs:\n\t- content: a\n", "line 2, column 1: a tab stands where YAML wants blanks"),
        ("pairs:\n- content: a\n\tstyle: b\n", "line 3, column 1: a tab stands"),
        ("contents: *.jpg\nstyles: s.jpg\n", "line 1, column 12: a text that begins with * wants quotes"),
        ("contents: photos\nstyles: *art\n", "line 2, column 9: a text that begins with * wants quotes"),
        ("a: &.jpg\n", "a text that begins with & wants quotes"),
        ("a: !x.jpg\n", "line 1, column 4: a text that begins with ! wants quotes"),
        ("a: @x.jpg\n", "line 1, column 4: a text that begins with @ wants quotes"),
        ("a: b: c\n", "line 1, column 5: a colon where none can be"),
        ("a: 'b\n", "line 1, column 4: a quote is opened and not closed"),
        ("a: {b: c\n", "line 1, column 4: a bracket or brace is not closed"),
        ("a:\n  b: c\n d: e\n", "line 3, column 2: the line is indented otherwise"),
        ("? [a]\n: b\n", "line 1, column 3: a key is a text"),
        ("a: \x01\n", "line 1: there is a character that YAML has no place for"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(WrongYaml) as caught:
        read_yaml(text)
    assert says in str(caught.value)
    path = tmp_path / "rows.yaml"
    path.write_text(text)
    with pytest.raises(BadRequest, match=r"rows\.yaml: line"):
        read_manifest(path)
