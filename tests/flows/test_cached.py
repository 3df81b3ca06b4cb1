"""What needs neither torch nor Prefect goes without: questions, and a run of which everything is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import stylebatch
from stylebatch.flows import stylize as module
from stylebatch.flows.cached import carry_out_cached, prepare_here
from stylebatch.flows.prefect_server import is_named
from stylebatch.flows.preparation import handing_over
from stylebatch.flows.stylize import stylize

# Of each call, the heavy packages that are there after it.
CHILD = """
import json, sys, stylebatch
from stylebatch.flows.cli import app, check, run, status
def told(call):
    print("after", call, *sorted({"torch", "prefect", "fsspec", "numpy"} & set(sys.modules)))
told("import")
for command, *arguments in json.loads(sys.argv[1]):
    assert not app([command, *arguments], standalone_mode=False)
    told(command)
"""


def imported_by(*commands: list[str], folder: Path) -> list[str]:
    """What was imported by a process, there where nothing names a Prefect server, after each of the commands."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=os.environ | {"PREFECT_HOME": str(folder / "prefect")},
    )
    return [line.removeprefix("after ") for line in child.stdout.splitlines() if line.startswith("after ")]


@pytest.mark.usefixtures("prefect")
def test_questions_import_nothing_for_nothing(manifest: Path, tmp_path: Path) -> None:
    stylize(manifest, tmp_path / "out")
    told = imported_by(["status", str(tmp_path / "out")], ["check", str(manifest)], folder=tmp_path)
    assert told == ["import", "status numpy", "check numpy"], "nothing before the first word"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_cached_run_imports_no_prefect(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stylize(manifest, out)
    told = imported_by(["run", str(manifest), "--out", str(out), "--quiet"], folder=tmp_path)
    assert told == ["import", "run fsspec numpy torch"]
    assert json.loads((out / "run.json").read_text())["counts"] == {"completed": 0, "cached": 2, "failed": 0}


@pytest.mark.usefixtures("prefect")
def test_report_and_run_json_are_those_of_a_flow(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest.write_text(manifest.read_text() + "pairs: [{content: nowhere.jpg, style: nowhere.jpg}]\n")
    stylize(manifest, out, {"steps": "2"}, trace=True)

    def left() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
        run = json.loads((out / "run.json").read_text())
        run = {name: value for name, value in run.items() if name not in ("started_at", "updated_at")}
        return pd.read_parquet(out / "report.parquet"), pd.read_parquet(out / "traces.parquet"), run

    by_flow = [one.status for one in stylize(manifest, out, {"steps": "2"}, trace=True)]
    report, traces, run = left()
    for file in ("report.parquet", "run.json", "traces.parquet"):
        (out / file).unlink()
    picture = next((out / "images").iterdir())
    picture.unlink()
    prepared = prepare_here(manifest, out, {"steps": "2"}, "auto", allow_http=False)
    assert prepared
    assert prepared.is_done
    assert [one.status for one in carry_out_cached(prepared, True, allow_http=False)] == by_flow
    again, again_traces, again_run = left()
    pd.testing.assert_frame_equal(again, report)
    pd.testing.assert_frame_equal(again_traces, traces)
    assert again_run == run
    assert picture.is_file()


@pytest.mark.usefixtures("prefect")
def test_what_is_left_is_not_prepared_twice(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare_here(manifest, tmp_path / "out", {}, "auto", allow_http=False)
    assert prepared
    assert not prepared.is_done
    monkeypatch.setattr(module, "_prepare", None)
    with handing_over(prepared):
        assert [one.status for one in stylize(manifest, tmp_path / "out")] == ["completed", "completed"]


def test_engines_are_left_to_the_flow(manifest: Path, tmp_path: Path) -> None:
    assert prepare_here(manifest, tmp_path / "out", {"engine": "auto"}, "auto", allow_http=False) is None


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("home/profiles.toml", '[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n', True),
        ("prefect.toml", '[api]\nurl = "http://127.0.0.1:4200/api"\n', True),
        ("pyproject.toml", "[tool.prefect.api]\n", True),
        ("pyproject.toml", "[project]\nname = 'other'\n", False),
        (".env", "PREFECT_API_URL=http://127.0.0.1:4200/api\n", True),
    ],
)
def test_a_server_of_the_users_is_noticed_wherever_prefect_finds_it(
    file: str, text: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    assert not is_named()
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert is_named() is expected
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert is_named()


def test_the_package_has_what_it_names() -> None:
    assert dir(stylebatch) == stylebatch.__all__
    assert all(getattr(stylebatch, name).__name__ == name for name in stylebatch.__all__)
    with pytest.raises(AttributeError, match="no attribute 'stilize'"):
        _ = stylebatch.stilize
