"""Pictures that are named on the command line: the manifest that says the same, and where it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stylebatch.flows.cli.without_manifest import as_manifest
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.request.manifest import read_manifest
from tests.command import call


@pytest.fixture
def desk(tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two photographs and a painting."""
    for folder, name in (("photos", "chelsea"), ("photos", "coffee"), ("paintings", "glass")):
        (tmp_path / folder).mkdir(exist_ok=True)
        source = "images" if folder == "photos" else "styles"
        shutil.copy(samples / source / f"{name}.jpg", tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


CONTENTS, STYLES = ["photos/*.jpg"], ["paintings/*.jpg"]


def test_what_is_saved_is_a_manifest_as_one_would_write_it(desk: Path) -> None:
    settings = {"size": "64", "content_layers": "relu3_1:0.5, relu4_2", "init": "noise"}
    saved = as_manifest(None, CONTENTS, STYLES, settings, Path("my.yaml"), None)
    assert saved == (Path("my.yaml"), Path("outputs/my"), {})
    assert Path("my.yaml").read_text() == (
        "defaults:\n  size: 64\n  content_layers: relu3_1:0.5, relu4_2\n  init: noise\n"
        "contents: photos/*.jpg\nstyles: paintings/*.jpg\n"
    )
    rows = read_manifest(Path("my.yaml")).rows
    assert [row["content"] for row in rows] == ["photos/chelsea.jpg", "photos/coffee.jpg"]
    assert as_manifest(None, CONTENTS, STYLES, settings, Path("my.yaml"), None) == saved, "it says the same"
    with pytest.raises(BadRequest, match="is there already, and says something else"):
        as_manifest(None, CONTENTS, STYLES, {}, Path("my.yaml"), None)
    elsewhere, _, _ = as_manifest(None, ["photos/coffee.jpg"], STYLES, {}, desk / "kept/no.yaml", None)
    assert [row["content"] for row in read_manifest(elsewhere).rows] == ["../photos/coffee.jpg"]


def test_what_is_not_saved_lies_in_the_run_s_folder(desk: Path) -> None:
    file, folder, _ = as_manifest(None, [*CONTENTS, "~"], ["paintings/glass.jpg"], {}, None, None)
    assert (file, folder) == (Path("outputs/photos-glass/photos-glass.yaml"), Path("outputs/photos-glass"))
    first, _, last = (row["content"] for row in read_manifest(file).rows)
    assert (first, last) == (str(desk / "photos/chelsea.jpg"), str(desk / "~"))
    as_manifest(None, CONTENTS, STYLES, {}, None, folder)
    (desk / "thesis").mkdir()
    (desk / "thesis/thesis.tex").touch()
    with pytest.raises(BadRequest, match=r"there is thesis.tex in it, and no run"):
        as_manifest(None, CONTENTS, STYLES, {}, None, desk / "thesis")


def test_a_collection_is_one_style(desk: Path, samples: Path) -> None:
    with pytest.raises(BadInput, match="paintings has one picture, and a collection is several"):
        as_manifest(None, CONTENTS, ["collection:paintings"], {}, None, None)
    with pytest.raises(BadInput, match=r"collection: nothing matches gone/\*.jpg"):
        as_manifest(None, CONTENTS, ["collection:gone/*.jpg"], {}, None, None)
    assert not (desk / "outputs").exists()
    shutil.copy(samples / "styles/waves.jpg", desk / "paintings")
    file, folder, _ = as_manifest(None, CONTENTS, ["collection:paintings/*.jpg"], {}, None, None)
    assert folder == Path("outputs/photos-paintings")
    assert {row["style"] for row in read_manifest(file).rows} == {f"collection:{desk}/paintings/*.jpg"}
    saved, _, _ = as_manifest(None, CONTENTS, ["collection:paintings"], {}, Path("kept/my.yaml"), None)
    assert {row["style"] for row in read_manifest(saved).rows} == {"collection:../paintings"}


def test_no_secret_is_written_down(desk: Path) -> None:
    for contents, styles in (
        (["https://me:hunter2@host/a.jpg"], STYLES),
        (CONTENTS, ["collection:https://me:hunter2@host/a"]),
    ):
        with pytest.raises(BadInput) as error:
            as_manifest(None, contents, styles, {}, Path("my.yaml"), None)
        assert "hunter2" not in str(error.value)
        assert not Path("my.yaml").exists()


@pytest.mark.usefixtures("prefect", "restored_process", "desk")
def test_a_run_without_a_manifest_is_that_of_the_saved_one() -> None:
    pictures = ["--contents", *CONTENTS, "--styles", *STYLES]
    first = call("run", *pictures, "--set", "size=64", "--set", "steps=2", "--save", "my.yaml", "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["completed"] == 2
    again = call("run", "my.yaml", "--json")
    assert json.loads(again.stdout)["cached"] == 2
