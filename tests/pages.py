"""The README and the pages of ``docs/`` as their readers take them: blocks to copy, links to follow, lines to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_NOT_RUN = re.compile(r"<!-- not run by the tests: \S.* -->")


@dataclass(frozen=True)
class Block:
    """What stands between two fences.

    Attributes:
        language: what the fence says: ``sh``, ``yaml`` …
        text: its lines.
        line: that of its fence, from 1.
        run: whether the tests run it. A comment before the fence says why they do not.
    """

    language: str
    text: str
    line: int
    run: bool


@cache
def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in its order."""
    found, lines = [], page.read_text("utf-8").split("\n")
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for begin, end in zip(fences[::2], fences[1::2], strict=True):
        run = not _NOT_RUN.fullmatch(lines[begin - 1])
        found.append(Block(lines[begin][3:], "\n".join(lines[begin + 1 : end]) + "\n", begin + 1, run))
    return found


def commands(block: Block) -> Iterator[str]:
    """The lines of a block of the shell that are more than a comment, without it."""
    for line in block.text.splitlines():
        if command := re.sub(r"(^|\s)#\s.*", "", line).strip():
            yield command


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines that are read as text, with their numbers: no blocks, no tables, and of links what is shown."""
    fenced = False
    for number, line in enumerate(page.read_text("utf-8").split("\n"), start=1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("|"):
            yield number, re.sub(r"\]\([^)]*\)", "]", line)


def links(page: Path) -> list[str]:
    """Where its links and pictures lead to."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


def anchors(page: Path) -> set[str]:
    """The names that a page's headings have in links, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
