"""What the command prints gets out, or is lost: it never ends the command, and changes no exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO, cast


class _Steady(io.TextIOBase):
    """A stream that loses what cannot be written.

    Where its reader has gone, nobody misses it; for another reason, ``lost`` is told once.
    """

    def __init__(self, stream: TextIO, lost: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._lost: Callable[[OSError], None] | None = lost
        if isinstance(stream, io.TextIOWrapper):
            # Of a name that the terminal has no characters for, it shows what can be found again.
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def write(self, text: str) -> int:
        if self._lost:
            self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        if self._lost:
            self._try(self._stream.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, ValueError) as error:
            lost, self._lost = self._lost, None
            # What it still holds would fail again when the interpreter ends.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)
            if lost and isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                lost(error)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def steady_streams() -> None:
    """Let nothing that becomes of standard output and standard error end this process."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # one that was closed; no other file may get its number
        pass
    os.close(number)
    if sys.stderr:
        sys.stderr = cast(TextIO, _Steady(sys.stderr, lambda error: None))
    if sys.stdout:
        sys.stdout = cast(TextIO, _Steady(sys.stdout, _say))


def _say(error: OSError) -> None:
    print(f"error: what was to be printed is lost: {error.strerror}", file=sys.stderr, flush=True)
