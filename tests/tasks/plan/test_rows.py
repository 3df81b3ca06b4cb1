"""Checking rows: what is refused row by row, and what is kept."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylebatch.tasks import progress
from stylebatch.tasks.pictures.decode import header_size
from stylebatch.tasks.plan.rows import BadRow, Pair, check_rows
from stylebatch.tasks.progress import Watcher, watcher
from stylebatch.tasks.request.ids import LONGEST_ID
from stylebatch.tasks.request.manifest import Manifest, Unreadable

GOOD = {"content": "a.png", "style": "b.png", "size": 64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two small pictures."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "teal").save(tmp_path / name)
    return tmp_path


def check(folder: Path, *rows: dict[str, Any], **overrides: str) -> tuple[list[Pair], list[BadRow]]:
    return check_rows(Manifest(folder / "rows.jsonl", list(rows)), overrides)


def write_noise(path: Path) -> None:
    """A picture that does not compress, so that its file can be cut in the middle of the pixels."""
    Image.effect_noise((300, 300), 90).convert("RGB").save(path)


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"content": "gone.png"}, "content", "there is no file"),
        ({"style": "gone.png"}, "style", "there is no file"),
        ({"init": "gone.png"}, "init", "there is no file"),
        ({"style": "folder"}, "style", "is a folder"),
        ({"content": "text.jpg"}, "content", "is not a picture"),
        ({"content": ""}, "content", "is missing"),
        ({"style": None}, "style", "is missing"),
        ({"style": float("nan")}, "style", "is missing"),
        ({"id": "../x"}, "id", "not safe"),
        ({"id": "a/../b"}, "id", "not safe"),
        ({"id": "/b"}, "id", "not safe"),
        ({"id": "a\\b"}, "id", "not safe"),
        ({"id": "CON"}, "id", "not safe"),
        ({"id": "lpt1.old"}, "id", "not safe"),
        ({"id": "x."}, "id", "not safe"),
        ({"id": "x "}, "id", "not safe"),
        ({"id": ".x"}, "id", "not safe"),
        ({"id": "x\n"}, "id", "not safe"),
        ({"id": "x" * (LONGEST_ID + 1)}, "id", f"longer than {LONGEST_ID}"),
        ({"id": "first"}, "id", "row 1"),
        ({"id": "FIRST"}, "id", "row 1"),
        ({"extra": "a"}, "extra", "is a mapping of names to values, not 'a'; a table has a column x_… for each"),
        ({"size": 15}, "size", "15"),
        ({"size": "5000"}, "size", "5000"),
        ({"size": "large"}, "size", "'large'"),
        ({"size": [64]}, "size", "a number or 'original'"),
        ({"size": "original", "content": "gone.png"}, "content", "there is no file 'gone.png'"),
        ({"size": "original", "content": "narrow.png"}, "content", "narrow.png would be 300x8 px"),
        ({"size": "original", "style": "narrow.png"}, "style", "narrow.png would be 40x1 px"),
        ({"size": "original", "content": "long.png", "format": "webp"}, "format", "this would have 16,400"),
        ({"format": "jpg"}, "format", "'png', 'jpeg' or 'webp', not 'jpg'"),
        ({"quality": 0}, "quality", "0"),
        ({"steps": 1.5}, "steps", "1.5"),
        ({"content_weight": -1}, "content_weight", "-1"),
        ({"tv_weight": "nan"}, "tv_weight", "finite"),
        ({"optimizer": "sgd"}, "optimizer", "'sgd'"),
        ({"style_layers": "relu1_1, rleu4_2"}, "style_layers", "'rleu4_2'; did you mean 'relu4_2'?"),
        ({"content_layers": "relu4_2:heavy"}, "content_layers", "heavy"),
        ({"content": "narrow.png"}, "content", "64x2 px"),
        ({"style": "narrow.png"}, "style", "64x2 px"),
        ({"style_scale": 0.2}, "style", "13x10 px"),
    ],
)
def test_a_bad_row_is_listed_and_its_neighbours_survive(
    change: dict[str, Any], column: str, says: str, folder: Path
) -> None:
    (folder / "folder").mkdir()
    (folder / "text.jpg").write_text("to be painted")
    Image.new("RGB", (300, 8)).save(folder / "narrow.png")
    Image.new("RGB", (16_400, 20)).save(folder / "long.png")
    first, second, third = {**GOOD, "id": "first"}, {**GOOD, "id": "second", **change}, {**GOOD, "id": "third"}
    pairs, bad_rows = check(folder, first, second, third)
    assert [(pair.row, pair.id) for pair in pairs] == [(1, "first"), (3, "third")]
    (bad,) = bad_rows
    assert bad.row == 2
    ((found, message),) = bad.problems
    assert found == column
    assert says in message
    assert bad.message == f"{column}: {message}"


def test_a_row_is_told_all_that_is_wrong_with_it(folder: Path) -> None:
    _, (bad,) = check(folder, {"id": "a//b", "content": "gone.png", "size": 1, "steps": 0})
    assert [column for column, _ in bad.problems] == ["size", "steps", "id", "content", "style"]
    assert (bad.id, bad.content, bad.style) == ("a//b", "gone.png", "")


@pytest.mark.parametrize(
    "name", ["x" * LONGEST_ID, "cat at night, 1 of 2", "console", "a.b-c_d@e+f=g", "beach/at noon/0001", "a-{key}"]
)
def test_ordinary_ids_are_kept(name: str, folder: Path) -> None:
    pairs, _ = check(folder, {**GOOD, "id": name})
    assert [pair.id for pair in pairs] == [name]


def test_a_bad_row_still_holds_its_id(folder: Path) -> None:
    _, bad_rows = check(folder, {**GOOD, "id": "x", "content": "gone.png"}, {**GOOD, "id": "x"})
    assert [bad.row for bad in bad_rows] == [1, 2]


def test_how_narrow_a_picture_may_be_depends_on_the_layers(folder: Path) -> None:
    Image.new("RGB", (320, 20)).save(folder / "narrow.png")  # 64 x 4 when it is resized
    row = {**GOOD, "content": "narrow.png", "content_layers": "relu3_1"}
    pairs, bad_rows = check(folder, {**row, "style_layers": "relu1_1"}, {**row, "style_layers": "relu4_1"})
    assert [pair.row for pair in pairs] == [1]
    assert [bad.row for bad in bad_rows] == [2]


def test_set_wins_over_the_row(folder: Path) -> None:
    pairs, bad_rows = check(folder, {**GOOD, "size": 5, "steps": 9}, {**GOOD, "size": 128}, size="32")
    assert bad_rows == []
    assert [(pair.settings.size, pair.settings.steps) for pair in pairs] == [(32, 9), (32, 150)]


def test_set_can_make_a_row_bad(folder: Path) -> None:
    pairs, (bad,) = check(folder, GOOD, init="gone.png")
    assert pairs == []
    assert [column for column, _ in bad.problems] == ["init"]


@pytest.mark.parametrize(
    "name",
    [
        "cut.jpg",
        pytest.param("cut.png"),
    ],
)
def test_only_decoding_finds_a_picture_that_is_cut_off(name: str, folder: Path) -> None:
    whole = folder / f"whole{Path(name).suffix}"
    write_noise(whole)
    (folder / name).write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    manifest = Manifest(folder / "rows.csv", [{**GOOD, "content": name}, {**GOOD, "style": whole.name}])
    by_header, _ = check_rows(manifest, {})
    assert [pair.row for pair in by_header] == [1, 2]
    by_decoding, (bad,) = check_rows(manifest, {}, decode=True)
    assert [pair.row for pair in by_decoding] == [2]
    assert (bad.row, bad.problems[0][0]) == (1, "content")
    assert name in bad.message
    assert "truncated" in bad.message


@pytest.mark.parametrize("decode", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "odd.jpg",
        pytest.param("odd.png"),
        pytest.param("odd.webp"),
    ],
)
def test_unreadable_exif_does_not_stop_the_check(name: str, decode: bool, folder: Path) -> None:
    Image.new("RGB", (40, 30)).save(folder / name, exif=b"Exif\0\0" + 4 * b"junk")
    manifest = Manifest(folder / "rows.csv", [{**GOOD, "content": name}, GOOD])
    pairs, bad_rows = check_rows(manifest, {}, decode)
    assert [pair.row for pair in pairs] == [1, 2]
    assert bad_rows == []


# Several styles, and masks


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"style": ["b.png", "gone.png"]}, "style", "there is no file 'gone.png'"),
        ({"style": "gone.png:2 | b.png"}, "style", "there is no file 'gone.png'"),
        ({"style": {"b.png": 0}}, "style", "all weights are 0"),
        ({"style": []}, "style", "names no picture"),
        ({"style": ["b.png", "narrow.png"]}, "style", "narrow.png would be 64x2 px"),
        ({"masks": "gone.png"}, "masks", "there is no file 'gone.png'"),
        ({"masks": "text.jpg"}, "masks", "text.jpg is not a picture"),
        ({"masks": {"b.png": 1}}, "masks", "no weights"),
        ({"style": ["a.png", "b.png"], "masks": "a.png"}, "masks", "1 for 2 in style; give each style its mask"),
        ({"masks": "a.png | b.png"}, "masks", "2 for 1 in style; give each style its mask"),
    ],
)
def test_a_bad_blend_or_mask_is_told_by_its_column(
    change: dict[str, Any], column: str, says: str, folder: Path
) -> None:
    Image.new("RGB", (300, 8)).save(folder / "narrow.png")
    (folder / "text.jpg").write_text("to be painted")
    pairs, (bad,) = check(folder, GOOD, {**GOOD, **change})
    assert [pair.row for pair in pairs] == [1]
    ((found, message),) = bad.problems
    assert (bad.row, found) == (2, column)
    assert says in message


def test_a_bad_row_names_its_blend_as_a_good_one_would(folder: Path) -> None:
    blend = {"b.png": 2, "a.png": 1}
    (good,), (bad,) = check(folder, {**GOOD, "style": blend}, {**GOOD, "style": blend, "content": "gone.png"})
    assert good.style == bad.style == "b.png:2 | a.png:1"


def test_a_mask_may_be_narrower_than_the_network_takes(folder: Path) -> None:
    Image.new("L", (300, 8)).save(folder / "narrow.png")
    pairs, bad_rows = check(folder, {**GOOD, "masks": "narrow.png"})
    assert bad_rows == []
    assert pairs[0].masks == ("narrow.png",)


# Whatever a row does is that row's error


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(10**5000, id="huge"),
        float("inf"),
        ["[" * 2000],
        {"a": {"b": [1]}},
        b"bytes",
        "a\0b.png",
        "\ud800.png",
        "a" * 5000,
        Unreadable("cannot be read: unknown time zone"),
        object(),
    ],
)
@pytest.mark.parametrize("column", ["id", "content", "style", "masks", "init", "size", "weights", "model", "preset"])
def test_one_bad_row_costs_itself_alone(folder: Path, column: str, cell: Any) -> None:
    pairs, bad_rows = check(folder, {**GOOD, column: cell}, GOOD)
    assert pairs[-1].row == 2
    assert [bad.row for bad in bad_rows] in ([1], [])
    for bad in bad_rows:
        (bad.id + bad.content + bad.style + bad.message).encode()


def test_an_error_that_nobody_foresaw_costs_its_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> tuple[int, int]:
        if path.name == "b.png":
            raise ZeroDivisionError("by zero")
        return header_size(path)

    monkeypatch.setattr("stylebatch.tasks.plan.rows.header_size", fail)
    pairs, (bad,) = check(folder, GOOD, {**GOOD, "style": "a.png"})
    assert [pair.row for pair in pairs] == [2]
    assert bad.message == "style: cannot be read: ZeroDivisionError: by zero"


def test_special_files_are_refused_and_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe.png")
    monkeypatch.chdir(folder)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
    (folder / "large.png").touch()
    os.truncate(folder / "large.png", 10_000_000_000)
    (folder / "zero.png").symlink_to("/dev/zero")
    cases = {"pipe.png": "is a pipe, not a file", "socket.png": "is a socket, not a file"}
    cases |= {"large.png": "has 10.0 GB, over the limit of 1 GB", "zero.png": "is a device, not a file"}
    for name, says in cases.items():
        for column in ("content", "style", "masks", "init", "weights"):
            _, (bad,) = check(folder, {**GOOD, column: name})
            assert f"{column}: {name} {says}" in bad.message
        _, (bad,) = check(folder, {**GOOD, "engine": "feedforward", "model": name})
        assert f"model: {name} {says}" in bad.message


# Files that are not there


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gone.png", "there is no file 'gone.png' in {folder}"),
        (" a.png", "there is no file ' a.png' in {folder}; there is one without the blanks around the name"),
        ("u\u0308.png", "; there is one whose accents are written in another Unicode form (NFC)"),
        ("deep\\c.png", "; write / between folders, not \\"),
        ("~/a.png", "; ~ is not read here: write the whole path"),
        ("*.png", "; globs are for contents and styles of a YAML manifest"),
        ("here.png", "; there is one in {folder}/shell, but names are relative to the manifest's folder"),
        ("deep/C.png", "; did you mean 'c.png'?"),
        ("depe/c.png", "; there is no folder 'depe' either"),
        ("/no/such.png", "there is no file '/no/such.png'; there is no folder '/no' either"),
    ],
)
def test_a_missing_file_is_told_with_what_may_be_meant(
    name: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for there in ("ü.png", "deep/c.png", "shell/here.png"):
        (folder / there).parent.mkdir(exist_ok=True)
        (folder / there).touch()
    monkeypatch.chdir(folder / "shell")
    _, (bad,) = check(folder, {**GOOD, "content": name})
    assert says.format(folder=folder) in bad.message


def test_a_model_without_its_engine_says_what_to_write(folder: Path) -> None:
    _, (bad,) = check(folder, {**GOOD, "model": "a.safetensors"})
    assert bad.message == "model: is for engine=feedforward, and this row's is optimize; give that engine, or no model"


@pytest.mark.parametrize(
    "column", ["id", "content", "style", "masks", "init", "weights", "model", "size", "preset", "label", "x_a"]
)
@pytest.mark.parametrize(
    "secret",
    ["https://user:phrase@h/a.jpg", "s3://key:phrase@b/a", "https://h/a#token=phrase", "https://h/a?pw=phrase"],
)
def test_no_secret_gets_through_whatever_the_column(folder: Path, column: str, secret: str) -> None:
    pairs, (bad, nested) = check(folder, {**GOOD, column: secret}, {**GOOD, "extra": {"a": [secret]}})
    assert pairs == []
    assert [name for name, _ in nested.problems] == ["x_a"]
    assert "phrase" not in repr(bad)


def test_it_is_told_how_far_the_rows_are_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    class Told(Watcher):
        def checking(self, row: int, rows: int) -> None:
            told.append((row, rows))

    monkeypatch.setattr(progress, "TOLD_EVERY", 2)
    token = watcher.set(Told())
    try:
        check_rows(Manifest(tmp_path / "rows.csv", [{}] * 5), {})
    finally:
        watcher.reset(token)
    assert told == [(2, 5), (4, 5)]
