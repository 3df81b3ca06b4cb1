"""The pages are true: their settings table, their columns, and their examples are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.request.settings_table import BEGIN, END, settings_table, with_table
from stylebatch.tasks.runs.report import write_report

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs/settings.md").read_text()
RESULTS = (ROOT / "docs/results.md").read_text()


def test_the_settings_table_is_the_settings() -> None:
    assert with_table(SETTINGS) == SETTINGS, "run `make settings`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_default_is_written_as_a_cell_takes_it(name: str) -> None:
    (written,) = re.findall(rf"^\| `{name}` \| (.+?) \| \S", settings_table(), re.MULTILINE)
    assert Settings.model_validate({name: written.strip("`")}) == Settings()


def test_a_text_without_both_markers_is_refused() -> None:
    for text in ("", BEGIN, f"{END}\n{BEGIN}\n", f"{SETTINGS}{END}"):
        with pytest.raises(ValueError, match="the text needs"):
            with_table(text)


def test_every_column_of_the_report_is_named(tmp_path: Path) -> None:
    write_report([], tmp_path / "report.parquet")
    for column in pq.read_schema(tmp_path / "report.parquet").names:
        assert re.search(rf"\b{column}\b", RESULTS), column
