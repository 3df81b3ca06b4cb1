"""Hostile input: manifests and pictures of which nothing is known. They may be refused, and only in a sentence."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest, Unreadable, read_manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.runs.own_columns import OwnColumns
from stylebatch.tasks.runs.report import output_of, refused, write_report
from stylebatch.tasks.storage import cache, web

T = TypeVar("T")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BOMB = "a: &a [x, x]\n" + "".join(f"{after}: &{after} [*{one}, *{one}]\n" for one, after in pairwise(LETTERS))
# The same folder serves all examples.
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
OTHERS = ["id", "content", "style", "masks", "keep", "next_styles", "label", "extra", "x_a"]
NAMES = [*Settings.model_fields, *OTHERS]
WORDS = [
    "draw:",
    "name:",
    "extra:",
    "content",
    "style",
    "id",
    "sweep:",
    "defaults:",
    "pairs:",
    "contents:",
    "styles:",
    "&a",
    "*a",
    "[",
    "]",
    "{",
]
WORDS += ["}", ": ", ",", "\n", "  ", "- ", '"', "'", "null", "true", "1e999", "!!python/object:os.system", "<<"]
PATHS = st.sampled_from(["a.png", "../a.png", "/etc", "/dev/null", "~", "con", "a" * 5000, "a\x00b", "\x1b[2J"])
HOSTS = ["http://h:99999/x", "http://x]/a", "https://[::1", "http://user:pw@h/a", "s3://", "s3://b", "gs://b/a", "://"]
HOSTS += ["https://bücher.example/ü?a=b", "memory://x/a.png", "file:///dev/null", "s3://b/\udcff", "HTTP://127.0.0.1/a"]
ODD = [b"bytes", -0.0, float("inf"), datetime.max, Decimal("NaN"), object(), Unreadable("no"), "\ud800", [[]]]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | PATHS
    | st.sampled_from([*HOSTS, *ODD])
    | st.builds(lambda: 10**5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def attempt(read: Callable[[Path], T], path: Path, refusal: type[Exception], named: str) -> T | None:
    """What is read of a file, or nothing where it is refused by its name; whatever else is raised is a fault."""
    try:
        return read(path)
    except refusal as error:
        if named not in str(error):
            raise
        return None


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name has an address, and no object store answers: nothing of the network is waited for."""

    def no_address(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    def no_store(place: UPath) -> None:
        raise ValueError("no such store")

    monkeypatch.setattr(web.fetch, "__defaults__", (no_address,))
    monkeypatch.setattr(cache, "file_system", no_store)


@FEW
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8), min_size=1, max_size=4))
def test_rows_of_anything_cost_themselves_alone(
    tmp_path: Path, samples: Path, unreachable: None, rows: list[dict[str, Any]]
) -> None:
    good = {"content": f"{samples}/images/coffee.jpg", "style": f"{samples}/styles/glass.jpg"}
    asked = Manifest(tmp_path / "rows.jsonl", [*rows, good], allow_http=True)
    pairs, bad_rows = check_rows(asked, {})
    jobs, vanished = make_jobs(asked, pairs, Slot("cpu"))
    assert len(jobs) + len(vanished) == len(pairs)
    write_report(map(refused, bad_rows), tmp_path / "report.parquet", OwnColumns(asked.rows))
    assert len(pairs) + len(bad_rows) == len(rows) + 1
    assert pairs[-1].row == len(rows) + 1
    assert all(bad.message for bad in bad_rows)


@FEW
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text("aB./\\ :~", max_size=9))
def test_an_id_is_one_file_within_its_folder_or_refused(tmp_path: Path, samples: Path, name: str) -> None:
    row = {"id": name, "content": f"{samples}/images/coffee.jpg", "style": f"{samples}/styles/glass.jpg"}
    pairs, _ = check_rows(Manifest(tmp_path / "rows.jsonl", [row]), {})
    for pair in pairs:
        file = tmp_path / output_of(pair.id or "derived", "png")
        assert file.resolve().is_relative_to((tmp_path / "images").resolve())
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".yaml", ".parquet"])
@FEW
@given(st.data())
def test_a_manifest_of_anything_is_read_or_refused(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    path = tmp_path / f"rows{ending}"
    words = st.lists(st.sampled_from(WORDS)).map(lambda parts: "".join(parts).encode())
    path.write_bytes(data.draw(st.binary(max_size=300) | words))
    if manifest := attempt(read_manifest, path, BadRequest, str(path)):
        check_rows(manifest, {})


@pytest.mark.parametrize("seed", [1, 2])
def test_a_manifest_with_a_few_bytes_changed(tmp_path: Path, samples: Path, seed: int) -> None:
    whole = (samples / "demo.yaml").read_bytes()
    generator = random.Random(seed)
    path = tmp_path / "demo.yaml"
    for _ in range(60):
        changed = bytearray(whole)
        for _ in range(generator.randrange(1, 6)):
            changed[generator.randrange(len(changed))] = generator.choice(string.printable.encode())
        path.write_bytes(changed)
        if manifest := attempt(read_manifest, path, BadRequest, str(path)):
            check_rows(manifest, {})


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("ending", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_picture_with_a_few_bytes_changed_is_read_or_refused(tmp_path: Path, samples: Path, ending: str) -> None:
    small = load_picture(samples / "images/coffee.jpg").resize((48, 32))
    whole_file = tmp_path / f"whole.{ending.lower()}"
    small.save(whole_file, ending)
    whole, generator = whole_file.read_bytes(), random.Random(ending)
    path = tmp_path / f"picture.{ending.lower()}"
    for number in range(80):
        changed = bytearray(whole)
        for _ in range(generator.randrange(1, 8)):
            # The header is where a few bytes do most.
            place = generator.randrange(min(len(changed), 64 if number % 2 else len(changed)))
            changed[place] = generator.randrange(256)
        path.write_bytes(changed[: generator.randrange(len(changed))] if number % 5 == 0 else changed)
        if picture := attempt(load_picture, path, BadInput, path.name):
            assert picture.mode == "RGB"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "bomb.yaml",
            "a: &a [x, x]\n"
            + "".join(
                f"{c}: &{c} [*{p}, *{p}]\n"
                for p, c in zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz", strict=True)
            ),
            "aliases",
        ),
        ("loop.yaml", "pairs: &a [*a]", "aliases"),
        ("deep.yaml", "[" * 1200, "nested too deep"),
        ("deep.jsonl", "[" * 100_000, "nested too deep"),
        ("twice.csv", "content,style,style\na,b,c\n", "two columns 'style'"),
    ],
)
def test_texts_that_are_made_to_hurt(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadRequest, match=message):
        read_manifest(path)


def test_names_that_differ_in_case_only_and_truth_values(tmp_path: Path, samples: Path) -> None:
    good: dict[str, Any] = {"content": f"{samples}/images/coffee.jpg", "style": f"{samples}/styles/glass.jpg"}
    rows: list[dict[str, Any]] = [good | {"id": "a"}, good | {"id": "A"}, good | {"steps": True}]
    pairs, bad_rows = check_rows(Manifest(tmp_path / "rows.jsonl", rows), {})
    assert [pair.row for pair in pairs] == [1]
    assert "is that of row 1 already" in bad_rows[0].message
    assert bad_rows[1].message == "steps: should be a number or a text, not True"
