"""Exports, read back by what reads them: torchvision, `webdataset` and Hugging Face's `datasets`."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import webdataset
from PIL import Image
from upath import UPath

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.export import table, tars
from stylebatch.tasks.export import target as places
from stylebatch.tasks.export.export import WRITERS, Form, export
from stylebatch.tasks.export.samples import Samples
from stylebatch.tasks.export.target import NOTE
from stylebatch.tasks.nst.torchvision_import import torchvision_models
from tests.object_store import Bucket
from tests.tasks.export.conftest import picture_of, write_run

each_form = pytest.mark.parametrize("form", WRITERS)
FLAT = [("one", "styles/night.jpg"), ("two", "styles/glass.jpg"), ("three", "styles/night.jpg")]


def pixels(picture: Any) -> list[int]:
    return np.asarray(picture).flatten().tolist()


def same(picture: Any, number: int, folder: Path) -> bool:
    """Whether a picture is that of a row."""
    (folder / "wanted").write_bytes(picture_of(number, "jpeg"))
    with Image.open(folder / "wanted") as wanted:
        return pixels(picture) == pixels(wanted)


def names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


# What readers find


def test_torchvision_reads_the_tree(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported = export(tree, "imagefolder", out)
    assert (exported.pictures, exported.failed, exported.left, exported.unusable) == (3, ["zoo/ape"], 0, {})
    assert names(out) == [NOTE, "beach/img.0001.jpg", "beach/img_0001.jpg", "city/old/tower.jpg", "metadata.csv"]
    torchvision_models()  # which imports torchvision also beside a torch that it was not compiled for
    from torchvision.datasets import ImageFolder

    read = ImageFolder(out)
    assert read.classes == ["beach", "city"]
    assert read.targets == [0, 0, 1]
    assert all(same(read[place][0], place + 1, tmp_path) for place in range(3))


def test_the_table_says_where_each_picture_is_from(tree: Path, tmp_path: Path) -> None:
    export(tree, "imagefolder", tmp_path / "out")
    told = pd.read_csv(tmp_path / "out/metadata.csv")
    assert list(told["file_name"]) == ["beach/img.0001.jpg", "beach/img_0001.jpg", "city/old/tower.jpg"]
    assert list(told["content"]) == [f"photographs/{name}.png" for name in told["id"]]
    assert list(told["style"]) == ["night.jpg", "glass.jpg", "night.jpg"]
    assert list(told["label"]) == ["beach", "beach", "city"], "what is not given is the folder"
    assert list(told["structure"]) == [0.75] * 3
    assert list(told["style_distance"]) == [0.125] * 3
    assert list(told["x_fold"])[:2] == [1, 2]
    assert list(told["width"]) == [12] * 3


def test_hugging_face_reads_the_tree(tree: Path, tmp_path: Path) -> None:
    export(tree, "imagefolder", tmp_path / "out")
    import datasets  # which takes a second

    read = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), split="train")
    assert list(read["label"]) == ["beach", "beach", "city"]
    assert all(same(row["image"], place, tmp_path) for place, row in enumerate(read, start=1))


def test_hugging_face_reads_the_parquet(tree: Path, tmp_path: Path) -> None:
    export(tree, "parquet", tmp_path / "out")
    assert names(tmp_path / "out") == [NOTE, "train-00000.parquet"]
    import datasets

    read = datasets.load_dataset("parquet", data_dir=str(tmp_path / "out"), split="train")
    assert read.features["image"] == datasets.Image()
    assert read.features["label"] == datasets.ClassLabel(names=["beach", "city"])
    assert read.features["structure"] == datasets.Value("float64")
    assert read["label"] == [0, 0, 1]
    assert read["id"] == ["beach/img.0001", "beach/img_0001", "city/old/tower"]
    assert read["x_fold"] == [1, 2, None]
    assert all(same(row["image"], place, tmp_path) for place, row in enumerate(read, start=1))


def test_webdataset_reads_the_shards(tree: Path, tmp_path: Path) -> None:
    export(tree, "webdataset", tmp_path / "out")
    assert names(tmp_path / "out") == [NOTE, "shard-000000.tar"]
    read = list(webdataset.WebDataset(str(tmp_path / "out/shard-000000.tar"), shardshuffle=False).decode("pil"))
    assert [one["__key__"] for one in read] == ["beach/img_0001", "beach/img_0001-2", "city/old/tower"]
    assert [one["cls"] for one in read] == [0, 0, 1]
    assert [one["json"]["label"] for one in read] == ["beach", "beach", "city"]
    assert [one["json"]["id"] for one in read] == ["beach/img.0001", "beach/img_0001", "city/old/tower"]
    assert read[0]["json"]["structure"] == 0.75
    assert all(same(one["jpg"], place, tmp_path) for place, one in enumerate(read, start=1))


@each_form
def test_every_format_is_taken_as_it_is(form: Form, tmp_path: Path) -> None:
    for file_format, ending in (("png", "png"), ("webp", "webp")):
        run, out = tmp_path / file_format, tmp_path / f"{file_format}-out"
        export(write_run(run, FLAT, file_format), form, out)
        wanted = (run / f"images/one.{ending}").read_bytes()
        if form == "imagefolder":
            found = (out / f"night/one.{ending}").read_bytes()
        elif form == "parquet":
            found = pd.read_parquet(out / "train-00000.parquet")["image"][0]["bytes"]
        else:
            with tarfile.open(out / "shard-000000.tar") as tar:
                found = tar.extractfile(f"night/one.{ending}").read()  # type: ignore[union-attr]
        assert found == wanted


# Names and labels


def test_a_flat_id_lies_in_the_folder_of_its_label(tmp_path: Path) -> None:
    run, out = write_run(tmp_path / "run", FLAT), tmp_path / "out"
    assert export(run, "imagefolder", out).labels == ["glass", "night"]
    assert [name for name in names(out) if name.endswith(".jpg")] == [
        "glass/two.jpg",
        "night/one.jpg",
        "night/three.jpg",
    ]


def test_what_would_be_one_file_or_one_class_is_told(tmp_path: Path) -> None:
    rows = [("night/one", "x.jpg"), ("one", "night.jpg")]
    with pytest.raises(BadRequest, match=r"two pictures would be one file, night/one\.jpg"):
        export(write_run(tmp_path / "files", rows), "imagefolder", tmp_path / "out")
    run = write_run(tmp_path / "classes", FLAT, own={"label": ["a:b", "a?b", "c"]})
    with pytest.raises(BadRequest, match="labels 'a:b' and 'a\\?b' would be one folder"):
        export(run, "imagefolder", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Shards


def test_shards_are_of_a_size_and_have_everything_once(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tars, "SHARD_BYTES", 1)
    monkeypatch.setattr(table, "SHARD_BYTES", 1)
    monkeypatch.setattr(table, "GROUP_BYTES", 1)
    export(tree, "webdataset", tmp_path / "tars")
    export(tree, "parquet", tmp_path / "tables")
    assert names(tmp_path / "tars") == [NOTE, *(f"shard-{number:06}.tar" for number in range(3))]
    assert names(tmp_path / "tables") == [NOTE, *(f"train-{number:05}.parquet" for number in range(3))]
    urls = f"{tmp_path}/tars/shard-{{000000..000002}}.tar"
    keys = [one["__key__"] for one in webdataset.WebDataset(urls, shardshuffle=False)]
    assert keys == ["beach/img_0001", "beach/img_0001-2", "city/old/tower"]
    assert list(pd.read_parquet(tmp_path / "tables")["id"]) == ["beach/img.0001", "beach/img_0001", "city/old/tower"]


@each_form
def test_the_same_run_gives_the_same_bytes(form: Form, tree: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        export(tree, form, tmp_path / out)
    assert names(tmp_path / "one") == names(tmp_path / "two")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_no_more_pictures_are_read_than_are_soon_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylebatch.tasks.export import ahead

    monkeypatch.setattr(ahead, "AHEAD", 2)
    started: list[int] = []
    results = ahead.ahead(started.append, range(100))
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    assert max(started) <= 5
    assert [item for item, _ in results] == [*range(3, 100)]


# Files


def test_a_picture_is_linked_where_that_can_be_done(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tree, "imagefolder", tmp_path / "links")
    assert (tmp_path / "links/beach/img.0001.jpg").samefile(tree / "images/beach/img.0001.jpg")

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    export(tree, "imagefolder", tmp_path / "copies")
    assert not (tmp_path / "copies/beach/img.0001.jpg").samefile(tree / "images/beach/img.0001.jpg")
    assert same(Image.open(tmp_path / "copies/beach/img.0001.jpg"), 1, tmp_path)


@each_form
def test_what_is_gone_or_changed_is_left_out_and_said(form: Form, tree: Path, tmp_path: Path) -> None:
    (tree / "images/beach/img.0001.jpg").unlink()
    (tree / "images/city/old/tower.jpg").write_bytes(picture_of(9, "jpeg"))
    exported = export(tree, form, tmp_path / "out")
    assert exported.pictures == 1
    assert exported.unusable == {
        "beach/img.0001": "is not there any more",
        "city/old/tower": "was changed since the run",
    }
    (tree / "images/beach/img_0001.jpg").unlink()
    with pytest.raises(BadRequest, match=r"no picture of the run in .* can be exported: that of beach/img\.0001 is"):
        export(tree, form, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_run_without_pictures_or_that_goes_on_is_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="has no pictures to export"):
        export(write_run(tmp_path / "failed", FLAT, failed=3), "parquet", tmp_path / "out")
    with pytest.raises(BadRequest, match=r"there is no run in .*nowhere"):
        export(tmp_path / "nowhere", "parquet", tmp_path / "out")
    run = json.loads((tree / "run.json").read_text())
    (tree / "run.json").write_text(json.dumps(run | {"rows": 9}))
    assert Samples(tree).left == 5
    (tree / "run.json").write_text(json.dumps(run | {"state": "running"}))  # on another machine
    with pytest.raises(BadRequest, match="a run is going on in"):
        export(tree, "parquet", tmp_path / "out")


# As a whole or not at all


@each_form
def test_an_export_that_fails_leaves_nothing(
    form: Form, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(done: int, all_: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tree, form, tmp_path / "out", progress=progress)
    assert {file.name for file in tmp_path.iterdir()} == {"run"}


def test_two_processes_do_not_write_one_data_set(tree: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "out", []

    def progress(done: int, all_: int) -> None:
        with pytest.raises(BadRequest) as caught:
            export(tree, "parquet", out)
        said.append(str(caught.value))

    assert export(tree, "imagefolder", out, progress=progress).pictures == 3
    assert said == [f"--out {out}: another process is exporting into it"] * 3


@each_form
def test_an_earlier_export_gives_way_only_when_told_to(form: Form, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".DS_Store").touch()
    (tmp_path / ".out.part/half").mkdir(parents=True)  # by an export that was killed
    export(tree, "imagefolder", out)
    with pytest.raises(BadRequest, match="there is an export in it already; give --overwrite"):
        export(tree, form, out)
    export(tree, form, out, overwrite=True)
    assert (out / "beach").exists() == (form == "imagefolder")
    assert {file.name for file in tmp_path.iterdir()} == {"run", "out"}


@each_form
def test_a_folder_with_other_things_is_refused(form: Form, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    (tmp_path / "checkout/.git").mkdir(parents=True)
    for out, says in (
        ("mine", "there is notes.txt in it"),
        ("checkout", "there is .git in it"),
        ("run", "there is images in it"),
        ("run/run.json", "a file"),
    ):
        for overwrite in (False, True):
            with pytest.raises(BadRequest, match=says):
                export(tree, form, tmp_path / out, overwrite)
    assert names(tmp_path / "mine") == ["notes.txt"]
    export(tree, form, tmp_path / "out")
    (tmp_path / "out/notes.txt").write_text("put there since")
    with pytest.raises(BadRequest, match=r"there is notes\.txt in it, which no export has written"):
        export(tree, form, tmp_path / "out", overwrite=True)
    with pytest.raises(BadRequest, match="nothing can be written over http"):
        export(tree, form, UPath("https://example.com/out"))


def test_a_folder_that_cannot_be_written_to_is_told(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match=r"--out .*file"):
        export(tree, "parquet", tmp_path / "file" / "out")


# In an object store


@each_form
def test_from_one_store_into_another(form: Form, tree: Path, bucket: Bucket) -> None:
    for name in names(tree):
        bucket.put(f"run/{name}", (tree / name).read_bytes())
    bucket.remove("run/images/city/old/tower.jpg")
    run, out = UPath(bucket.url("run")), UPath(bucket.url("out"))
    exported = export(run, form, out)
    assert exported.pictures == 2
    assert exported.unusable == {"city/old/tower": "is not there any more"}
    wanted = {
        "imagefolder": ["beach/img.0001.jpg", "beach/img_0001.jpg", "metadata.csv"],
        "webdataset": ["shard-000000.tar"],
        "parquet": ["train-00000.parquet"],
    }
    assert bucket.names("out") == [f"out/{name}" for name in (NOTE, *wanted[form])]
    with pytest.raises(BadRequest, match="there is an export in it already"):
        export(run, form, out)
    export(run, "parquet", out, overwrite=True)
    assert bucket.names("out") == [f"out/{name}" for name in (NOTE, *wanted["parquet"])]


def test_in_a_store_what_is_not_whole_is_known_and_begun_anew(
    tree: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = UPath(bucket.url("out"))
    seen: list[str] = []

    def write(samples: Samples, target: places.Target) -> Generator[Any]:
        for sample in samples:
            target.take(sample)
            seen[:] = bucket.names("out")
            yield sample, None
            raise BadInput("killed")

    with monkeypatch.context() as patch:
        patch.setitem(WRITERS, "imagefolder", write)
        with pytest.raises(BadRequest, match="killed; nothing was left there"):
            export(tree, "imagefolder", out)
    assert seen == [f"out/{NOTE}", "out/beach/img.0001.jpg"]
    assert bucket.names("out") == []
    bucket.put("out/old.tar", "half")
    with pytest.raises(BadRequest, match=r"there is old\.tar in it"):
        export(tree, "parquet", out)
    bucket.put(f"out/{NOTE}", '{"state": "unfinished"}')
    export(tree, "parquet", out)
    assert bucket.names("out") == [f"out/{NOTE}", "out/train-00000.parquet"]
