"""What is installed: one name, with all that it needs and nothing that is the checkout's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDED = (".package", "flows", "tasks", "manifests", "pyproject.toml", "README.md", "LICENSE")
pytestmark = pytest.mark.slow
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel, built of a copy: a build leaves its own files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    built = subprocess.run([sys.executable, "-c", BUILD, "."], cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_everything_is_under_the_one_name(wheel: set[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in wheel} == {"stylebatch"}


def test_every_module_and_the_files_that_it_needs_are_there(wheel: set[str]) -> None:
    wanted = {path.relative_to(ROOT) for folder in ("flows", "tasks") for path in ROOT.glob(f"{folder}/**/*.py")}
    wanted |= {path.relative_to(ROOT) for path in ROOT.glob("tasks/gallery/web/**/*.*")}
    for pattern in ("*.yaml", "images/*.jpg", "styles/*.jpg", "models/*.md", "models/*.safetensors"):
        found = {path.relative_to(ROOT) for path in (ROOT / "manifests").glob(pattern)}
        assert found, pattern
        wanted |= found
    assert {f"stylebatch/{path.as_posix()}" for path in wanted} <= wheel


def test_nothing_else_is_there(wheel: set[str]) -> None:
    inside = {name.removeprefix("stylebatch/") for name in wheel if name.startswith("stylebatch/")} - {
        "__init__.py",
        "py.typed",
    }
    assert all((ROOT / name).is_file() for name in inside)
    assert not {name for name in inside if name.startswith("manifests/") and name.endswith(".py")}
