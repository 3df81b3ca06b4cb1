"""Ctrl-C and SIGTERM: stop within two seconds, keep what is done, say how to go on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

# Time for the report to be written; a thread in the middle of a long step would take more to end by itself.
GRACE = 1.0


class Interrupt:
    """Turns the first signal into a KeyboardInterrupt, and ends the process soon after, whatever is still running.

    Every file is written whole or not at all: ending a process at any moment loses nothing but work in progress.
    """

    def __init__(self, *last: Callable[[], None]) -> None:
        self._last = list(last)
        self._number = signal.SIGINT

    def install(self) -> None:
        """Take over both signals, for the rest of the process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def first(self, step: Callable[[], None]) -> None:
        """Have this done before all that is done last."""
        self._last.insert(0, step)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._number = signal.Signals(number)
        signal.signal(number, lambda *_: os._exit(128 + number))  # the second one does not wait
        timer = threading.Timer(GRACE, self.leave)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def leave(self) -> None:
        """Do what is to be done last, and end the process."""
        for step in self._last:
            step()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(128 + self._number)
