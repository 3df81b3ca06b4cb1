"""The errors that a user can do something about; their texts are shown as they are, without a traceback."""

from __future__ import annotations


class BadInput(ValueError):
    """One row's input cannot be stylized: it costs that row alone, and trying again would not help."""


class BadRequest(ValueError):
    """The whole request cannot be carried out (no such manifest, unknown setting, …): nothing was written."""
