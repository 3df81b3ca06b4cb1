"""The folder that a run may write into: new, empty, or a run's."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from upath import UPath

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.runs.target import refuse_others_folder
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place


@pytest.fixture(params=["here", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return tmp_path / "out" if request.param == "here" else UPath(f"memory://{uuid.uuid4().hex}/out")


@pytest.mark.parametrize("there", [[], ["run.json", "x.txt"], [".store/records/a", "images/a.png"], [".DS_Store"]])
def test_a_runs_folder_or_an_empty_one_is_taken(folder: Place, there: list[str]) -> None:
    for name in there:
        write_atomically(folder / name, b"")
    refuse_others_folder(folder)


@pytest.mark.parametrize("there", [["thesis.tex"], ["photos/a.jpg"], ["a.jpg", "images/b.png"]])
def test_a_folder_with_other_things_is_refused(folder: Place, there: list[str]) -> None:
    for name in there:
        write_atomically(folder / name, b"")
    first = there[0].partition("/")[0]
    with pytest.raises(BadRequest, match=re.escape(f"--out {folder}: there is {first}")):
        refuse_others_folder(folder)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(BadRequest, match="it is a file; give a folder"):
        refuse_others_folder(tmp_path / "out")
