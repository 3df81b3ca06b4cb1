"""The pages are true: their commands run, their links lead somewhere, and their tables are those of the code."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer.main
from PIL import Image
from typer.testing import CliRunner

from stylebatch.flows.cli import app
from stylebatch.tasks.nst.torchvision_import import torchvision_models
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.request.settings_table import BEGIN, END, settings_table, with_table
from stylebatch.tasks.runs.report import write_report
from tests.pages import PAGES, README, ROOT, Block, anchors, blocks, commands, links, prose

SETTINGS = (ROOT / "docs/settings.md").read_text()
RESULTS = (ROOT / "docs/results.md").read_text()
PICTURES = (
    "photographs/harbour.jpg", "photographs/street.jpg", "styles/night.jpg", "styles/glass.png", "more/night.jpg",
    "harbour.jpg", "night.jpg", "glass.jpg", "sky.png", "land.png", "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg",
    "monet/1.jpg", "monet/2.jpg", "train/beach/0001.jpg", "train/beach/0002.jpg", "train/forest/0001.jpg",
)  # fmt: skip
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


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


def test_the_readme_is_the_front_door_only() -> None:
    assert len(README.read_text().splitlines()) <= 130
    assert {link.split("#")[0] for link in links(README)} >= {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")}


@each_page
def test_a_line_can_be_read_aloud(page: Path) -> None:
    assert not [f"line {number}: {line}" for number, line in prose(page) if len(line) > 100]


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "tests/benchmarks/README.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.is_relative_to(ROOT), link
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@each_page
def test_what_is_not_run_exists_all_the_same(page: Path) -> None:
    """Commands of blocks that need a service are parsed, with their options, and targets of ``make`` looked up."""
    known: Any = typer.main.get_command(app)
    for block in blocks(page):
        for command in commands(block) if block.language == "sh" else ():
            words = list(takewhile(lambda word: word not in ("&", "2>"), shlex.split(command)))
            if words[0].endswith("stylebatch"):
                known.get_command(None, words[1]).make_context(words[1], words[2:])
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who has the samples, pictures by the names of the pages, and the README's ``my.yaml``."""
    torchvision_models()  # which imports torchvision also beside a torch that it was not compiled for
    folder = tmp_path_factory.mktemp("desk")
    noise = np.random.default_rng(0)
    for name in PICTURES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(folder / name)
    (manifest,) = (block.text for block in blocks(README) if block.text.startswith("# my.yaml\n"))
    (folder / "my.yaml").write_text(f"defaults: {{size: 48, steps: 2}}\n{manifest}")
    (folder / "manifests").symlink_to(ROOT / "manifests")
    return folder


def quick_or_slow(page: Path) -> Any:
    """Commands that stylize are run by ``make test-slow``."""
    stylizes = any(block.run and block.language in ("sh", "python") for block in blocks(page))
    marks = [pytest.mark.slow] if stylizes else []
    return pytest.param(page, marks=marks, id=str(page.relative_to(ROOT)))


@pytest.mark.parametrize("page", [quick_or_slow(page) for page in PAGES])
@pytest.mark.usefixtures("prefect", "restored_process")
def test_blocks_run(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    to_run = [block for block in blocks(page) if block.run]
    if not Path("outputs/my").exists() and any(block.language in ("sh", "python") for block in to_run):
        call("stylebatch run my.yaml")  # which a reader of any page has done
    names: dict[str, Any] = {}
    for block, following in zip(to_run, [*to_run, None][1:], strict=True):
        if block.language == "sh":
            for command in commands(block):
                call(command)
        elif block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(block.text, f"{page.name}, from line {block.line}", "exec"), names)
            if following and not following.language:
                assert printed.getvalue() == following.text
        elif block.language in ("yaml", "csv", "json"):
            call(f"stylebatch check {written(block, desk)}")


def written(block: Block, desk: Path) -> str:
    """A manifest as the page has it; by the name in its first line, if there is one, and small."""
    ending = {"json": "jsonl"}.get(block.language, block.language)
    named = re.match(r"# (\S+\.yaml)\n", block.text)
    path = desk / (named[1] if named else f"line-{block.line}.{ending}")
    if path != desk / "my.yaml":
        path.write_text(("defaults: {size: 48, steps: 2}\n" if named else "") + block.text)
    return path.name


def call(command: str) -> None:
    """Carry out a command of a page in this process, with small numbers for large ones."""
    assert re.match(r"(\.venv/bin/)?stylebatch ", command), f"{command!r} needs a comment that it is not run"
    small = re.sub(r"\bsize=\d+", "size=48", re.sub(r"\b(steps|refine)=\d+", r"\1=3", command))
    arguments = shlex.split(small)[1:]
    if arguments[0] == "train":
        arguments.append("--steps=2")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{command}\n{done.output}"
