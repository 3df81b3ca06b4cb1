"""The errors that a user can do something about; their texts are shown as they are, without a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TypeGuard


class BadInput(ValueError):
    """One row's input cannot be stylized: it costs that row alone, and trying again would not help."""


class BadRequest(ValueError):
    """The whole request cannot be carried out (no such manifest, unknown setting, …): nothing was written."""


def told(error: Exception) -> str:
    """What is wrong; of an error of the system, with which file, wherever that lies on this machine."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.strerror}: {Path(os.fsdecode(error.filename)).name}" if error.filename else error.strerror


def problem_of(error: Exception) -> str:
    """What is wrong with a row that came across this, foreseen or not."""
    text = told(error)
    if isinstance(error, BadInput | OSError):
        return text
    return f"cannot be read: {type(error).__name__}{f': {text.splitlines()[0]}' if text else ''}"


def is_out_of_space(error: BaseException) -> TypeGuard[OSError]:
    """Whether there is no space left, no quota, or no right to write: nothing that is cured within seconds."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
