"""Waiting for what other processes do. No test asserts on the clock: a fuse ends what would wait for ever."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import AnyStr

# Seconds; minutes, since the machine may have other things to do. The limit of a whole test, in pyproject.toml, is
# longer, so that it is this that says what was waited for.
FUSE = 300.0


def wait_for(
    condition: Callable[[], object], what: str, process: subprocess.Popen[AnyStr] | None = None, fuse: float = FUSE
) -> None:
    """Return once ``condition`` holds.

    Args:
        what: is waited for, in words.
        process: is to bring it about; when it has ended, there is nothing more to wait for.
        fuse: seconds.

    Raises:
        AssertionError: it has not come about.
    """
    burnt_down = time.monotonic() + fuse
    while not condition():
        if process and process.poll() is not None and not condition():
            raise AssertionError(f"it has ended before {what}: {process.communicate()}")
        if time.monotonic() > burnt_down:
            raise AssertionError(f"waited {fuse:.0f} s for {what}")
        time.sleep(0.1)
