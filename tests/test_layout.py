"""Arrows run one way: flows → tasks → stylebatch.tasks.nst, and the mathematics knows nothing of the rest."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*ROOT.glob("flows/*.py"), *ROOT.glob("tasks/**/*.py")])


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_run_one_way(path: Path) -> None:
    names = imported(path)
    if path.is_relative_to(ROOT / "tasks"):
        assert not {name for name in names if name.startswith("stylebatch.flows")}
    if path.is_relative_to(ROOT / "tasks/nst"):
        own = {name for name in names if name.startswith("stylebatch")}
        assert all(name.startswith("stylebatch.tasks.nst") for name in own)
        assert not {"prefect", "pandas", "pyarrow", "PIL", "pydantic"} & {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
