"""Arrows run one way: flows → tasks' rooms, each to earlier ones → nst, and no module leads back to itself."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATHS = sorted(path for folder in ("flows", "tasks") for path in ROOT.glob(f"{folder}/**/*.py"))
# In the order in which a row of a manifest goes through them; each uses earlier ones only. `words` are the modules
# beside the rooms, which all may use.
ROOMS = (
    "nst",
    "words",
    "storage",
    "pictures",
    "request",
    "networks",
    "devices",
    "plan",
    "results",
    "stylizing",
    "runs",
    "training",
    "again",
    "gallery",
    "export",
    "flows",
)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["stylebatch", *(part for part in parts if part != "__init__")])


MODULES = {name_of(path): path for path in PATHS}


def imported(path: Path) -> set[str]:
    """The names of the modules that a module imports, wherever in it, and for its types alone too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & set(MODULES)
            names |= inside or {node.module or ""}
    return names


@cache
def imports() -> dict[str, set[str]]:
    """By the name of each module, what it imports."""
    return {name: imported(path) for name, path in MODULES.items()}


def room_of(name: str) -> str:
    _, folder, *inside = name.split(".")
    if folder == "flows":
        return "flows"
    return inside[0] if inside and inside[0] in ROOMS else "words"


def test_a_module_imports_from_its_own_room_and_earlier_ones() -> None:
    for name, found in imports().items():
        own = {other for other in found if other.split(".")[0] in ("stylebatch", "flows", "tasks")}
        assert own <= set(MODULES), f"{name}: everything is imported by its one name"
        later = {other for other in own if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name))}
        assert not later, name


def test_no_module_leads_back_to_itself() -> None:
    TopologicalSorter({name: found & set(MODULES) for name, found in imports().items()}).prepare()


def test_every_room_has_its_place_in_the_order_and_says_what_belongs_there() -> None:
    rooms = {path.parent.name: path for path in ROOT.glob("tasks/*/__init__.py")}
    assert set(rooms) == set(ROOMS) - {"words", "flows"}
    for path in rooms.values():
        assert len((ast.get_docstring(ast.parse(path.read_text())) or "").split()) > 20, path


def test_the_tests_mirror_the_rooms() -> None:
    rooms = {path.name for path in (ROOT / "tests/tasks").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= set(ROOMS)


def test_the_mathematics_knows_nothing_of_the_rest() -> None:
    for name, found in imports().items():
        if room_of(name) == "nst":
            known = {other.split(".")[0] for other in found}
            assert not {"prefect", "pandas", "pyarrow", "PIL", "pydantic"} & known, name


def test_every_module_says_what_it_is_for() -> None:
    assert not [path for path in PATHS if not ast.get_docstring(ast.parse(path.read_text()))]


@pytest.mark.xdist_group("one process")
def test_tests_that_share_something_go_to_one_process(request: pytest.FixtureRequest) -> None:
    """What a module's tests share would else be made by each process, which nothing but the time would tell."""
    if not request.config.option.__dict__.get("loadgroup"):
        pytest.skip("there is one process only")
    assert request.node.nodeid.endswith("@one process")
