"""Presets: each is made of valid settings, what is given wins, and the name leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import read_manifest
from stylebatch.tasks.request.presets import PRESETS, PresetName
from stylebatch.tasks.request.settings import Settings, parse_assignments

NAMED = [name for name in PRESETS if name != "none"]
# What no method decides: the machine's, or a matter of one run.
OPEN = {"preset", "seed", "precision", "network", "weights", "learning_rate"}


def test_every_preset_can_be_named() -> None:
    assert set(PRESETS) == set(get_args(PresetName))


@pytest.mark.parametrize("name", NAMED)
def test_a_preset_is_made_of_settings(name: PresetName) -> None:
    settings = Settings(preset=name)
    expected = Settings.model_validate(dict(PRESETS[name]))
    assert settings == expected != Settings()
    assert {field: getattr(settings, field) for field in PRESETS[name]} == PRESETS[name]
    assert set(PRESETS[name]) <= set(Settings.model_fields) - OPEN


def test_the_default_is_no_preset() -> None:
    assert Settings(preset="none") == Settings()


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(BadRequest, match="preset: input should be 'none', 'gatys2016'"):
        parse_assignments(["preset=gatys"])


def resolve(folder: Path, text: str, **overrides: str) -> list[tuple[Settings, str]]:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 30), "teal").save(folder / name)
    (folder / "rows.yaml").write_text(text)
    manifest = read_manifest(folder / "rows.yaml")
    pairs, bad_rows = check_rows(manifest, overrides)
    assert bad_rows == []
    jobs, _ = make_jobs(manifest, pairs, Slot("cpu"))
    return [(job.settings, job.key) for job in jobs]


def test_set_wins_over_the_row_the_row_over_defaults_and_they_over_the_preset(tmp_path: Path) -> None:
    text = (
        "defaults: {preset: gatys2016, steps: 7, history: 8, size: 64}\n"
        "pairs: [{content: a.png, style: b.png, history: 9, size: 80}]\n"
    )
    ((settings, _),) = resolve(tmp_path, text, size="96")
    assert (settings.size, settings.history, settings.steps) == (96, 9, 7)
    assert (settings.pooling, settings.init) == ("average", "noise")


def test_a_preset_can_be_set_for_a_whole_run(tmp_path: Path) -> None:
    text = "contents: a.png\nstyles: b.png\ndefaults: {preset: gatys2016, size: 64}\n"
    ((settings, _),) = resolve(tmp_path, text, preset="johnson2016")
    assert settings == Settings(preset="johnson2016", size=64, precision=settings.precision)


def test_the_name_of_a_preset_is_in_neither_key_nor_record(tmp_path: Path) -> None:
    written = ["preset: gatys2016", ", ".join(f"{name}: {value}" for name, value in PRESETS["gatys2016"].items())]
    rows = ", ".join(f"{{content: a.png, style: b.png, {way}}}" for way in written)
    (by_name, key), (in_full, other_key) = resolve(tmp_path, f"pairs: [{rows}]".replace("'", ""))
    assert key == other_key
    assert by_name == in_full
    assert "preset" not in by_name.model_dump()
    assert "gatys" not in by_name.model_dump_json()
