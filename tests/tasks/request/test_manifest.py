"""The manifest: the same rows from every format, what is refused as a whole, and what is refused row by row."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from upath import UPath

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import BadRow, Pair, check_rows
from stylebatch.tasks.request.manifest import Manifest, read_manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import write_atomically

GOOD = {"content": "a.png", "style": "b.png", "size": 64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three small pictures, one with a comma in its name."""
    for name in ("a.png", "b.png", "s, t.png"):
        Image.new("RGB", (40, 30), "teal").save(tmp_path / name)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], Path]:
    """Write a manifest into the folder."""

    def write(name: str, text: str) -> Path:
        path = folder / name
        path.write_text(text, "utf-8")
        return path

    return write


def check(folder: Path, *rows: dict[str, Any], **overrides: str) -> tuple[list[Pair], list[BadRow]]:
    return check_rows(Manifest(folder / "rows.jsonl", list(rows)), overrides)


def names(manifest: Manifest) -> list[tuple[str, str]]:
    return [(row["content"], row["style"]) for row in manifest.rows]


def write_noise(path: Path) -> None:
    """A picture that does not compress, so that its file can be cut in the middle of the pixels."""
    Image.effect_noise((300, 300), 90).convert("RGB").save(path)


# The same manifest in each format


def as_csv(folder: Path) -> Path:
    path = folder / "rows.csv"
    text = (
        "id,content,style,size,steps,tv_weight,style_layers,init\r\n"
        'one,a.png,"s, t.png",64,,0.5,,\r\n'
        ',b.png,a.png,,7,,"relu1_1, relu2_1:0.5",noise\r\n'
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return path


def as_json_lines(folder: Path) -> Path:
    path = folder / "rows.jsonl"
    rows: list[dict[str, Any]] = [
        {"id": "one", "content": "a.png", "style": "s, t.png", "size": 64, "tv_weight": 0.5, "init": None},
        {"content": "b.png", "style": "a.png", "steps": 7, "style_layers": ["relu1_1", "relu2_1:0.5"], "init": "noise"},
    ]
    path.write_text("\n\n".join(map(json.dumps, rows)) + "\n", "utf-8-sig")
    return path


def as_parquet(folder: Path) -> Path:
    path = folder / "rows.parquet"
    columns = {
        "id": ["one", None],
        "content": ["a.png", "b.png"],
        "style": ["s, t.png", "a.png"],
        "size": [64.0, float("nan")],
        "steps": [None, 7],
        "tv_weight": [0.5, float("nan")],
        "style_layers": [None, "relu1_1, relu2_1:0.5"],
        "init": [None, "noise"],
    }
    pq.write_table(pa.table(columns), path)
    return path


def as_yaml(folder: Path) -> Path:
    path = folder / "rows.yaml"
    path.write_text(
        "defaults: {steps: 7}\n"
        "pairs:\n"
        "- {id: one, content: a.png, style: 's, t.png', size: 64, steps: 150, tv_weight: 0.5}\n"
        "- {content: b.png, style: a.png, style_layers: {relu1_1: 1, relu2_1: 0.5}, init: noise}\n"
    )
    return path


@pytest.mark.parametrize("written", [as_csv, as_json_lines, as_parquet, as_yaml])
def test_every_format_gives_the_same_rows(written: Callable[[Path], Path], folder: Path) -> None:
    pairs, bad_rows = check_rows(read_manifest(written(folder)), {})
    assert bad_rows == []
    assert [(pair.row, pair.id, pair.content, pair.style) for pair in pairs] == [
        (1, "one", "a.png", "s, t.png"),
        (2, "", "b.png", "a.png"),
    ]
    assert [pair.settings for pair in pairs] == [
        Settings(size=64, tv_weight=0.5),
        Settings(steps=7, style_layers={"relu1_1": 1.0, "relu2_1": 0.5}, init="noise"),
    ]


def test_paths_are_relative_to_the_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    pairs, _ = check(folder, GOOD, {**GOOD, "content": str(folder / "a.png")})
    assert [pair.row for pair in pairs] == [1, 2]


# YAML


def test_a_product_takes_globs_and_lists_in_a_stable_order(folder: Path, write: Callable[[str, str], Path]) -> None:
    photographs = folder / "photographs"
    (photographs / "x.png").mkdir(parents=True)
    for name in ("c", "a", "b"):
        (photographs / f"{name}.png").touch()
    path = write("rows.yml", "contents: photographs/*.png\nstyles: [b.png, 'a*.png']\n")
    photos = [f"photographs/{name}.png" for name in "abc"]
    assert names(read_manifest(path)) == [(photo, style) for photo in photos for style in ("b.png", "a.png")]


def test_a_glob_may_be_absolute(folder: Path, write: Callable[[str, str], Path]) -> None:
    path = write("rows.yaml", f"contents: '{folder}/[ab].png'\nstyles: b.png\n")
    assert names(read_manifest(path)) == [(f"{folder}/a.png", "b.png"), (f"{folder}/b.png", "b.png")]


def test_pairs_come_before_the_product(write: Callable[[str, str], Path]) -> None:
    path = write("rows.yaml", "contents: a.png\nstyles: b.png\npairs: [{content: b.png, style: a.png}]\n")
    assert names(read_manifest(path)) == [("b.png", "a.png"), ("a.png", "b.png")]


def test_a_row_overrides_a_default(write: Callable[[str, str], Path]) -> None:
    path = write(
        "rows.yaml",
        "defaults: {size: 96, steps: 9}\n"
        "pairs: [{content: a.png, style: b.png, size: 64}]\n"
        "contents: a.png\n"
        "styles: b.png\n",
    )
    pairs, _ = check_rows(read_manifest(path), {})
    assert [(pair.settings.size, pair.settings.steps) for pair in pairs] == [(64, 9), (96, 9)]


def test_a_sweep_is_a_product_over_settings_for_every_row(write: Callable[[str, str], Path]) -> None:
    path = write(
        "rows.yaml",
        "defaults: {size: 64, style_weight: 7}\n"
        "sweep: {style_weight: [10, 100], style_layers: [[relu1_1], {relu2_1: 0.5}]}\n"
        "pairs: [{content: b.png, style: a.png, steps: 3}]\n"
        "contents: a.png\n"
        "styles: b.png\n",
    )
    pairs, bad_rows = check_rows(read_manifest(path), {})
    assert bad_rows == []
    swept = [(weight, layers) for weight in (10, 100) for layers in ({"relu1_1": 1.0}, {"relu2_1": 0.5})]
    assert [
        (pair.content, pair.settings.steps, pair.settings.size, pair.settings.style_weight, pair.settings.style_layers)
        for pair in pairs
    ] == [(content, steps, 64, *values) for content, steps in (("b.png", 3), ("a.png", 150)) for values in swept]


def test_pictures_of_a_sweep_have_ids_of_their_own(folder: Path, write: Callable[[str, str], Path]) -> None:
    manifest = read_manifest(
        write("rows.yaml", "sweep: {seed: [1, 2, 3]}\ncontents: a.png\nstyles: b.png\ndefaults: {size: 64}")
    )
    jobs, _ = make_jobs(manifest, check_rows(manifest, {})[0], Slot("cpu"))
    assert len({job.id for job in jobs}) == len({job.key for job in jobs}) == 3


SWEPT = "pairs: [{content: a.png, style: b.png}]\nsweep: "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SWEPT + "[1]", "sweep is a mapping of settings"),
        (SWEPT + "{}", "sweep is a mapping of settings"),
        (SWEPT, "sweep is a mapping of settings"),
        (SWEPT + "{stile_weight: [1]}", "sweep: there is no setting 'stile_weight'; did you mean 'style_weight'?"),
        (SWEPT + "{content: [a.png]}", "sweep: there is no setting 'content'"),
        (SWEPT + "{size: 64}", "sweep: size is a list of values, not '64'"),
        (SWEPT + "{size: []}", "sweep: size is a list of values"),
        (SWEPT + "{size: [64, 96, 64]}", "sweep: size has '64' twice"),
        (SWEPT + "{size: [64, many]}", "sweep: size: "),
        (SWEPT + "{size: [64, null]}", "sweep: size: "),
        ("pairs: [{id: x, content: a.png, style: b.png}]\nsweep: {seed: [1, 2]}", "row 1 of pairs has the id 'x'"),
        (
            "pairs: [{content: a.png, style: b.png, seed: 3}]\nsweep: {seed: [1, 2]}",
            "row 1 of pairs and sweep both give",
        ),
        ("default: {size: 64}\npairs: [{content: a.png, style: b.png}]", "no key 'default'; did you mean 'defaults'?"),
        ("defaults: {stpes: 5}\npairs: [{content: a.png, style: b.png}]", "no setting 'stpes'; did you mean 'steps'?"),
        ("defaults: {size: 5}\npairs: [{content: a.png, style: b.png}]", "defaults: size:"),
        ("defaults: [1]\npairs: [{content: a.png, style: b.png}]", "defaults is a mapping"),
        ("pairs: [{contents: a.png, style: b.png}]", "'contents'; did you mean 'content'?"),
        ("pairs: [a.png]", "pairs is a list of mappings"),
        ("draw: {styles: 1}\npairs: [{content: a.png, style: b.png}]", "draw takes some of the styles for each of the"),
        ("draw: {styles: 3}\ncontents: a.png\nstyles: [a.png, b.png]", "draw: 3 styles for each content are more"),
        (
            "pairs: [{content: a.png, style: b.png, masks: a.png}]\n"
            "draw: {regions: 2}\ncontents: a.png\nstyles: [a.png, b.png]",
            "row 1 of pairs has masks, and draw has regions",
        ),
        ("pairs: [{content: a.png, style: b.png, masks: a.png, regions: 2}]", "regions go into draw, for drawn styles"),
        ("regions: 6\ncontents: a.png\nstyles: b.png", "regions goes into draw, as in draw: {styles: 1, regions: 6}"),
        ("extra: [a]\npairs: [{content: a.png, style: b.png}]", "extra is a mapping"),
        ("pairs: [{content: a.png, style: b.png, split: a}]", "a column of your own is x_split"),
        ("contents: a.png", "both contents and styles"),
        ("contents: gone/*.png\nstyles: b.png", "nothing matches gone/*.png"),
        ("contents: [[5]]\nstyles: b.png", "contents is a name or glob"),
        ("- content: a.png", "is a mapping"),
        ("pairs: [", "a bracket or brace is not closed"),
        ("", "is a mapping"),
        ("contents: {a: b}\nstyles: b.png", "contents is a name or glob"),
        ("pairs: [{content: a.png, style: b.png, on: 1}]", "no column or setting 'on'"),
        ("defaults: {1: 2}\npairs: [{content: a.png, style: b.png}]", "no setting '1'"),
    ],
)
def test_a_wrong_yaml_says_what_is_wrong(text: str, says: str, write: Callable[[str, str], Path]) -> None:
    path = write("rows.yaml", text)
    with pytest.raises(BadRequest) as caught:
        read_manifest(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_name_with_brackets_is_a_name_where_there_is_such_a_file(
    folder: Path, write: Callable[[str, str], Path]
) -> None:
    (folder / "a[1].png").touch()
    path = write("rows.yaml", "contents: 'a[1].png'\nstyles: b.png\n")
    assert names(read_manifest(path)) == [("a[1].png", "b.png")]


# Refused as a whole


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("rows.txt", "content,style\na.png,b.png\n", "not in '.txt'"),
        ("rows", "content,style\na.png,b.png\n", "not in ''"),
        ("rows.csv", "", "has no rows"),
        ("rows.csv", "content,style\n", "has no rows"),
        ("rows.jsonl", "\n\n", "has no rows"),
        ("rows.yaml", "pairs: []", "has no rows"),
        ("rows.csv", "content,style\na.png,b.png\na.png,b.png,c.png\n", "row 2: more fields than columns"),
        ("rows.csv", 'content,style\na.png,"b.png\n', "a quote is opened and not closed"),
        ("rows.csv", "content,size\na.png,64\n", "no column 'style'"),
        ("rows.csv", "style,size\na.png,64\n", "no column 'content'"),
        ("rows.csv", "contnet,style\na.png,b.png\n", "'contnet'; did you mean 'content'?"),
        ("rows.csv", "content,style,style_wieght\na.png,b.png,1\n", "did you mean 'style_weight'?"),
        ("rows.csv", "content,style,qqq\na.png,b.png,1\n", "no column or setting 'qqq'"),
        ("rows.jsonl", '{"content": "a.png", "style": "b.png"}\n\n{"content": \n', "line 3: not JSON"),
        ("rows.jsonl", '{"content": "a.png", "style": "b.png"}\n[1, 2]\n', "line 2: a row is an object"),
        ("rows.jsonl", '{"content": "a.png"}\n{"content": "a.png", "stile": "b.png"}\n', "did you mean 'style'?"),
        ("rows.parquet", "PAR1 and then something else", "cannot be read"),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(
    name: str, text: str, says: str, write: Callable[[str, str], Path]
) -> None:
    path = write(name, text)
    with pytest.raises(BadRequest) as caught:
        read_manifest(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"there is no manifest .*gone\.csv"):
        read_manifest(tmp_path / "gone.csv")


def test_a_csv_header_may_end_in_a_comma(write: Callable[[str, str], Path]) -> None:
    path = write("rows.csv", "content,style,\na.png,b.png,\n")
    assert list(read_manifest(path).rows) == [{"content": "a.png", "style": "b.png"}]


def test_a_line_of_json_ends_at_a_newline_only(write: Callable[[str, str], Path]) -> None:
    row = {"content": "a\u2028b.png", "style": "b\x85.png"}
    assert list(read_manifest(write("rows.jsonl", json.dumps(row, ensure_ascii=False))).rows) == [row]


def test_a_manifest_by_url_and_its_globs() -> None:
    folder = UPath(f"memory://{uuid.uuid4().hex}/what [is] this")
    for name in ("b.jpg", "a.jpg", "a.txt", "deep/c.jpg"):
        write_atomically(folder / "photographs" / name, b"")
    write_atomically(folder.parent / "styles" / "x.png", b"")
    contents = f"[photographs/*.jpg, '{folder.parent}/styles/*.png', single.jpg]"
    write_atomically(folder / "my.yaml", f"contents: {contents}\nstyles: ['../styles/*.png']\n".encode())
    manifest = read_manifest(folder / "my.yaml")
    style = f"{folder.parent}/styles/x.png"
    found = [(row["content"], row["style"]) for row in manifest.rows]
    assert found == [(name, style) for name in ("photographs/a.jpg", "photographs/b.jpg", style, "single.jpg")]
    assert manifest.locate("photographs/a.jpg") == folder / "photographs/a.jpg"
    assert str(manifest.locate(style)) == style
    write_atomically(folder / "my.yaml", b"contents: photographs/*.gif\nstyles: a.png\n")
    with pytest.raises(BadRequest, match=r"contents: nothing matches photographs/\*\.gif"):
        read_manifest(folder / "my.yaml")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_by_url(ending: str) -> None:
    table = pa.table({"content": ["ä.jpg"], "style": ["b.jpg"]})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    texts = {"csv": "content,style\nä.jpg,b.jpg\n", "jsonl": '{"content": "ä.jpg", "style": "b.jpg"}\n'}
    place = UPath(f"memory://{uuid.uuid4().hex}/rows.{ending}")
    write_atomically(place, texts[ending].encode() if ending in texts else buffer.getvalue())
    assert list(read_manifest(place).rows) == [{"content": "ä.jpg", "style": "b.jpg"}]
    write_atomically(place, b"\x00")
    with pytest.raises(BadRequest, match=re.escape(str(place))):
        read_manifest(place)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("foo://bucket/*.jpg", "there is no protocol foo://"),
        ("s3://KEY:phrase@bucket/*.jpg", "give credentials by the environment"),
        ("gs://bucket/*.jpg", "pip install 'stylebatch[gs]'"),
    ],
)
def test_a_glob_that_cannot_be_listed_is_told(pattern: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"contents: '{pattern}'\nstyles: a.png\n")
    with pytest.raises(BadRequest) as error:
        read_manifest(path)
    assert message in str(error.value)
    assert "phrase" not in str(error.value)


def test_a_manifest_on_the_web_is_not_read_unless_that_is_allowed() -> None:
    with pytest.raises(BadRequest, match="unless --allow-http is given"):
        read_manifest(UPath("https://127.0.0.1/my.yaml"))
    with pytest.raises(BadRequest, match="is at a private address"):
        read_manifest(UPath("https://127.0.0.1/my.yaml"), allow_http=True)
