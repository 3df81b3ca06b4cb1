"""PNG of more than 8 bits, or with one colour that is transparent, which Pillow compares in bits of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

from stylebatch.tasks.pictures.samples import from_samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
HEADER = struct.Struct(">IIBB")  # width, height, bits, colour type


def is_beyond_pillow(data: bytes) -> bool:
    """Whether a PNG has 16 bits, or a transparent grey or colour."""
    bits, colours = _header(data)
    return bits == 16 or (colours in (GREY, RGB) and any(name == b"tRNS" for name, _ in _chunks(data)))


def pixel_bytes(data: bytes) -> int:
    """What the numbers of one pixel take once they are unpacked; at least a byte each, and an alpha with them."""
    bits, colours = _header(data)
    return (2 if bits == 16 else 1) * (2 if colours in (GREY, 4) else 4)


def decode(data: bytes) -> tuple[Image.Image, Image.Image | None]:
    """Colours, grey or RGB, and alpha, if there is one.

    Raises:
        imagecodecs.PngError: it is damaged.
    """
    import imagecodecs  # a tenth of a second, which most pictures need not wait for

    # Of profiles and texts the decoder only has to complain.
    needed = b"".join(chunk for name, chunk in _chunks(data) if name in NEEDED)
    samples = imagecodecs.png_decode(SIGNATURE + needed)
    samples = samples.reshape(*samples.shape[:2], -1)
    return from_samples(samples, 2.0 ** (8 * samples.dtype.itemsize) - 1, 1 if samples.shape[2] < 3 else 3)


def _header(data: bytes) -> tuple[int, int]:
    _, _, bits, colours = HEADER.unpack_from(data, len(SIGNATURE) + 8)
    return bits, colours


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name, and all of its bytes, as far as they are there."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, data[place : place + 12 + length]
        place += 12 + length
