"""Output that nobody can take, or that has no such characters: no traceback, and the exit code is the command's own."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from stylebatch.flows.whole_files import WholeFiles
from tests.command import COMMAND


@pytest.mark.parametrize("to", ["/dev/full", "a closed pipe", "nothing"])
def test_what_cannot_be_printed_changes_no_exit_code(to: str) -> None:
    shell = {
        "/dev/full": f"'{COMMAND}' --version > /dev/full",
        "a closed pipe": f"'{COMMAND}' run --help | true; exit ${{PIPESTATUS[0]}}",
        "nothing": f"'{COMMAND}' --version >&-",
    }
    done = subprocess.run(["bash", "-c", shell[to]], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    lost = "error: what was to be printed is lost: No space left on device\n"
    assert done.stderr == (lost if to == "/dev/full" else "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_characters_that_a_terminal_does_not_have_are_spelt_out(encoding: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "check", str(tmp_path / "夜 ×.yaml")],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        encoding=encoding,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no manifest" in done.stderr
    assert "\\u591c" in done.stderr
    assert ("×" if encoding == "cp1252" else "\\xd7") in done.stderr


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = WholeFiles(basepath=str(tmp_path))
    files.write_path("key", b"before")

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_path("key", b"after")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("key", b"before")]
