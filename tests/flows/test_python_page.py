"""The page for Python: its code runs from top to bottom, and prints what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.usefixtures("prefect")
def test_the_code_runs_and_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    monkeypatch.chdir(tmp_path)
    blocks = [(found["language"], found["text"]) for found in BLOCK.finditer((ROOT / "docs/python.md").read_text())]
    names: dict[str, object] = {}
    compared = 0
    for (language, text), (next_language, said) in zip(blocks, [*blocks[1:], ("end", "")], strict=True):
        if language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(text, names)
            assert next_language or printed.getvalue().splitlines() == said.splitlines()
            compared += not next_language
    assert compared >= 6
