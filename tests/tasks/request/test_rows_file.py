"""Rows written out as a manifest: the same pairs, wherever the file lies."""

from __future__ import annotations

import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image
from upath import UPath

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.rows import Pair, check_rows
from stylebatch.tasks.request.manifest import Manifest, read_manifest
from stylebatch.tasks.request.rows_file import write_rows
from stylebatch.tasks.storage.files import read_bytes, write_atomically
from tests.command import call

TEXT = """\
defaults: {size: 64, style_layers: {relu1_1: 0.5, relu2_1: 1}, init: styles/a.png}
name: "{folder}/{stem}-{key}"
extra: {split: train}
contents: tree/*/*.png
styles: [styles/*.png, {styles/a.png: 2, styles/b.png: 1}]
draw: {styles: 2, seed: 3}
pairs:
  - {content: tree/sea/x.png, style: [styles/a.png, styles/b.png], masks: [styles/a.png, styles/b.png], id: mine}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    for name in ("tree/sea/x.png", "tree/beach/1.png", "tree/beach/2.png", "styles/a.png", "styles/b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "teal").save(tmp_path / "in" / name)
    (tmp_path / "in/my.yaml").write_text(TEXT)
    return tmp_path / "in/my.yaml"


def pairs_of(path: Path) -> list[Pair]:
    pairs, bad_rows = check_rows(read_manifest(path), {})
    assert bad_rows == []
    return pairs


def test_in_the_same_folder_the_rows_are_the_same_to_the_letter(manifest: Path) -> None:
    out = manifest.with_name("pairs.parquet")
    write_rows(read_manifest(manifest), out)
    assert len(pairs_of(manifest)) == 7
    assert pairs_of(out) == pairs_of(manifest)
    table = pq.read_table(out)
    assert table["x_split"].to_pylist() == ["train"] * 7
    assert table["label"].to_pylist() == [None, "beach", "beach", "beach", "beach", "sea", "sea"]


def test_elsewhere_the_rows_name_the_same_files(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.parquet"
    write_rows(read_manifest(manifest), out)
    for there, here in zip(pairs_of(out), pairs_of(manifest), strict=True):
        assert there.content == f"in/{here.content}"
        assert [style.name for style in there.styles] == [f"in/{style.name}" for style in here.styles]
        assert there.masks == tuple(f"in/{mask}" for mask in here.masks)
        assert there.settings == here.settings.model_copy(update={"init": "in/styles/a.png"})
        assert there.id == here.id


def test_conditions_and_regions_are_kept(manifest: Path) -> None:
    draw = "draw: {styles: 1, regions: 2, keep: structure > 0.5, tries: 2}"
    text = TEXT.replace("draw: {styles: 2, seed: 3}", draw).replace(
        ", {styles/a.png: 2, styles/b.png: 1}", ", tree/*/*.png"
    )
    manifest.write_text(text[: text.index("pairs:")])
    out = manifest.with_name("pairs.parquet")
    write_rows(read_manifest(manifest), out)
    assert pairs_of(out) == pairs_of(manifest)
    assert {(len(pair.styles), len(pair.masks), len(pair.next_styles)) for pair in pairs_of(out)} == {(2, 2, 1)}
    assert pairs_of(out)[0].masks[0].startswith("voronoi:1/2:")


def test_by_url_names_are_whole(manifest: Path) -> None:
    store = UPath(f"memory://{uuid.uuid4().hex}")
    write_rows(read_manifest(manifest), store / "pairs.parquet")
    (first, *_) = read_manifest(store / "pairs.parquet").rows
    assert first["content"] == str(manifest.parent / "tree/sea/x.png")
    write_atomically(store / "rows.jsonl", b'{"content": "a.jpg", "style": "s3://b/c.jpg"}\n')
    write_rows(read_manifest(store / "rows.jsonl"), manifest.with_name("out.parquet"))
    assert pq.read_table(manifest.with_name("out.parquet")).to_pylist() == [
        {"content": str(store / "a.jpg"), "style": "s3://b/c.jpg"}
    ]


@pytest.mark.usefixtures("restored_process")
def test_the_command_writes_the_file_and_says_what_is_in_it(manifest: Path) -> None:
    out = manifest.with_name("pairs.parquet")
    done = call("pairs", manifest, "--out", out)
    assert (done.exit_code, done.output) == (0, f"7 rows: {out}\n")
    assert len(pq.read_table(out)) == 7
    manifest.write_text(TEXT.replace("styles: 2", "styles: 5"))
    before = read_bytes(out)
    done = call("pairs", manifest, "--out", out)
    assert done.exit_code == 2
    assert "draw: 5 styles for each content are more than the 3 there are" in done.output
    assert read_bytes(out) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [("pairs.csv", r"ends in \.parquet"), ("rows.parquet", "is the manifest itself"), ("a/b.parquet", "cannot write")],
)
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "a").touch()
    rows = [{"content": "a.png", "style": "b.png"}]
    with pytest.raises(BadRequest, match=says):
        write_rows(Manifest(tmp_path / "rows.parquet", rows), tmp_path / name)
