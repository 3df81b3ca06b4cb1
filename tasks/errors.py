"""The errors that a user can do something about; their texts are shown as they are, without a traceback."""

from __future__ import annotations

import errno
from typing import TypeGuard


class BadInput(ValueError):
    """One row's input cannot be stylized: it costs that row alone, and trying again would not help."""


class BadRequest(ValueError):
    """The whole request cannot be carried out (no such manifest, unknown setting, …): nothing was written."""


def is_out_of_space(error: BaseException) -> TypeGuard[OSError]:
    """Whether there is no space left, no quota, or no right to write: nothing that is cured within seconds."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
