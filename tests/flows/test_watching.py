"""What is seen of a run that goes on: lines without a terminal, and its newest picture."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.console import Console

from stylebatch.flows.latest import Latest
from stylebatch.flows.screen import Lines
from tests.command import complaints


@dataclass(frozen=True)
class Job:
    key: str
    steps: int


@dataclass(frozen=True)
class Row:
    output: str | None
    status: str = "completed"
    record: object = None
    attempts: int | None = None


def test_without_a_terminal_lines_tell_how_far_it_is() -> None:
    console = Console(file=io.StringIO(), width=200)
    lines = Lines(console, every=0)
    lines.checking(4000, 1_000_000)
    lines.looking_up(6000, 1_000_000)
    lines.settling(8000, 1_000_000)
    lines.planned([Job("a", 3), Job("b", 1)], [Row(None, "failed")])
    lines.stepped(Job("a", 3))
    lines.finished(Job("a", 3), [Row(None)])
    checked, looked_up, settled, first, second = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert checked == "checking row 4,000 of 1,000,000"
    assert looked_up == "looking for what is done: row 6,000 of 1,000,000"
    assert settled == "putting pictures in place: row 8,000 of 1,000,000"
    assert first.startswith("1/3 rows, 1 failed, 1/4 steps")
    assert second.startswith("2/3 rows, 1 failed, 3/4 steps")
    rare = Lines(console, every=1e9)
    rare.planned([Job("a", 3)], [])
    rare.stepped(Job("a", 3))
    assert len(console.file.getvalue().splitlines()) == 5  # type: ignore[attr-defined]


def paint(file: Path, colour: str) -> str:
    Image.new("RGB", (32, 32), colour).save(file)
    return file.name


def test_the_newest_picture_has_a_name_of_its_own(tmp_path: Path) -> None:
    red, blue = paint(tmp_path / "red.png", "red"), paint(tmp_path / "blue.png", "blue")
    shown: list[Path] = []
    latest = Latest(tmp_path, shown.append, every=0)
    latest([Row(red), Row(None, "failed")])
    assert (tmp_path / "latest.png").read_bytes() == (tmp_path / red).read_bytes()
    latest([Row("gone.png")])
    latest([Row(blue)])
    assert (tmp_path / "latest.png").read_bytes() == (tmp_path / blue).read_bytes()
    assert shown == [tmp_path / "latest.png"] * 2
    rare = Latest(tmp_path, every=1e9)
    rare([Row(blue)])
    rare([Row(red)])
    assert (tmp_path / "latest.png").read_bytes() == (tmp_path / blue).read_bytes(), "the next one is not due yet"


SHOW = """
import sys
from pathlib import Path
from rich.console import Console
from stylebatch.flows.latest import shower
show = shower(Console(stderr=True))
print("shown" if show else "not shown")
if show:
    show(Path(sys.argv[1]))
"""


def in_a_terminal(file: Path, answer: bytes) -> bytes:
    """What a child writes that shows a picture in a terminal which answers so, when it is asked what it can."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 640, 384))  # rows, columns, pixels
    child = subprocess.Popen([sys.executable, "-c", SHOW, file], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
            if b"\x1b[c" in data:
                os.write(ours, answer)
    except OSError:  # as Linux says that the child has closed its side
        pass
    child.wait()
    os.close(ours)
    return written


def test_a_terminal_with_sixel_shows_it_and_another_does_not(tmp_path: Path) -> None:
    paint(tmp_path / "red.png", "red")
    with_sixel = in_a_terminal(tmp_path / "red.png", b"\x1b[?62;4c")
    assert b"\x1bP" in with_sixel.partition(b"shown")[2]
    assert b"not shown" in in_a_terminal(tmp_path / "red.png", b"\x1b[?62c")


def test_lines_of_progress_are_no_complaints() -> None:
    console = Console(file=io.StringIO(), width=200)
    lines = Lines(console, every=0)
    lines.stepped(Job("a", 3))
    lines.checking(2000, 3000)
    lines.planned([Job("a", 3)], [])
    lines.stepped(Job("a", 3))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert len(told.splitlines()) == 3
    assert complaints(f"{told}warning: else\n") == ["warning: else"]
