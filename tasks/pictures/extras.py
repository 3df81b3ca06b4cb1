"""Formats that a package of their own reads: told by name where it is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from stylebatch.tasks.errors import BadInput

HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")


@dataclass(frozen=True)
class Extra:
    """A format: its name for people and for Pillow, and the extra that has its package's module."""

    name: str
    format: str
    extra: str
    module: str

    def load(self) -> None:
        """Have Pillow read the format.

        Raises:
            BadInput: the package is not installed; the text is to follow the file's name.
        """
        try:
            import_module(self.module)
        except ImportError:
            raise BadInput(
                f"is {self.name}: pip install 'stylebatch[{self.extra}]' to have it read, or convert it to PNG or JPEG"
            ) from None


HEIC = Extra("HEIC", "HEIF", "heic", "pillow_heif.HeifImagePlugin")
JPEG_XL = Extra("JPEG XL", "JXL", "jxl", "pillow_jxl")


def extra_of(start: bytes) -> Extra | None:
    """Which of these formats a file has that begins with these bytes, if it has one."""
    if start.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n")):
        return JPEG_XL
    if start[4:8] != b"ftyp":
        return None
    brands = start[8 : max(12, int.from_bytes(start[:4], "big"))]
    return HEIC if brands.startswith(HEIF_BRANDS) and b"avif" not in brands else None
