"""The README is true: its settings table, its columns, and its examples are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tasks.report import write_report
from tasks.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TABLE = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", README, re.MULTILINE))


def test_every_setting_is_in_the_table_and_no_other() -> None:
    assert list(TABLE) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_settings_default_is_the_tables(name: str) -> None:
    written = TABLE[name].strip("`")
    assert Settings.model_validate({name: written}) == Settings()


def test_every_column_of_the_report_is_named(tmp_path: Path) -> None:
    write_report([], tmp_path / "report.parquet")
    for column in pq.read_schema(tmp_path / "report.parquet").names:
        assert re.search(rf"\b{column}\b", README), column


def test_the_yaml_examples_are_yaml_with_known_settings() -> None:
    product, sweep = (yaml.safe_load(example) for example in re.findall(r"```yaml\n(.+?)```", README, re.DOTALL))
    assert set(product) == {"defaults", "contents", "styles", "pairs"}
    assert set(sweep) == {"defaults", "contents", "styles", "sweep"}
    for settings in (product["defaults"], sweep["defaults"]):
        Settings.model_validate(settings)
    for name, values in sweep["sweep"].items():
        for value in values:
            Settings.model_validate({name: value})
