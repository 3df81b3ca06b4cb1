"""Ctrl-C, SIGTERM, and whatever else ends a run from without: keep what is done, say how to go on, leave in seconds."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE = 1.0  # seconds for what runs to end by itself, and for Prefect to be told
LONGEST = 10.0  # seconds for what is done first
IMPATIENT = 1.0  # seconds after which a second signal is another one; `timeout` sends each twice

_first: list[Callable[[], None]] = []


@contextmanager
def first_when_interrupted(step: Callable[[], None]) -> Iterator[None]:
    """Have ``step`` done at once should a signal come meanwhile, whatever the main thread is doing."""
    _first.append(step)
    try:
        yield
    finally:
        _first.remove(step)


class Interrupt:
    """Ends the process soon after the first signal, whatever is still running, and whoever takes the signal.

    Prefect and Ray put handlers of their own in the place of ours. So signals are seen by a thread, which Python's own
    handler writes their numbers to. The main thread gets a KeyboardInterrupt, or what those others raise.

    Every file is written whole or not at all: ending a process at any moment loses nothing but work in progress.
    """

    def __init__(self, *last: Callable[[], None]) -> None:
        self._last = list(last)
        self._code = 128 + signal.SIGINT
        self._came = 0.0
        self._raised = False
        self._begun, self._leaving = threading.Lock(), threading.Lock()  # taken once and for all

    @property
    def begun(self) -> bool:
        """Whether the process is about to end."""
        return self._begun.locked()

    def install(self) -> None:
        """Take over both signals, for the rest of the process."""
        self._numbers, written = socket.socketpair()
        written.setblocking(False)
        signal.set_wakeup_fd(written.detach(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        threading.Thread(target=self._watch, daemon=True).start()

    def before(self, step: Callable[[], None]) -> None:
        """Have this done before all that is done last."""
        self._last.insert(0, step)

    def end(self, code: int) -> None:
        """Do as if a signal had come, and exit with ``code``."""
        if self._begun.acquire(blocking=False):
            self._came, self._code = time.monotonic(), code
            threading.Thread(target=self._end, daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.end(128 + number)
        if not self._raised:
            self._raised = True
            raise KeyboardInterrupt

    def _watch(self) -> None:
        while True:
            for number in self._numbers.recv(1):
                if number not in (signal.SIGINT, signal.SIGTERM):
                    continue
                # The first signal's own number may come here when it is being left already.
                if self.begun and time.monotonic() - self._came > IMPATIENT:
                    if self._leaving.locked():
                        os._exit(self._code)
                    self.leave()
                self.end(128 + number)

    def _end(self) -> None:
        for step in _first[::-1]:
            doing = threading.Thread(target=step, daemon=True)
            doing.start()
            doing.join(LONGEST)
        time.sleep(GRACE)
        self.leave()

    def leave(self) -> None:
        """Do what is to be done last, and end the process."""
        with self._leaving:
            for step in self._last:
                with suppress(Exception):  # a screen that is gone
                    step()
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
            os._exit(self._code)
