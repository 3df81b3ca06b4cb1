"""Pictures as people have them in folders: any of the usual formats in, sRGB out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures import png
from stylebatch.tasks.pictures.color import over
from stylebatch.tasks.pictures.extras import extra_of
from stylebatch.tasks.pictures.orientation import orientation_of, turned
from stylebatch.tasks.pictures.samples import Decoded, from_samples
from stylebatch.tasks.storage.cache import as_file, drop
from stylebatch.tasks.storage.facts import known
from stylebatch.tasks.storage.places import Place

if TYPE_CHECKING:
    from stylebatch.tasks.pictures.tiff import Tiff

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how such files begin
NAMES = "JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF"
# About 13,000 x 13,000: a file of a few kilobytes can claim any size.
PIXEL_LIMIT = 178_956_970
# Bytes that a picture may take while it is decoded: its numbers as they are unpacked, and two copies in 8 bits, of
# four bytes a pixel in Pillow.
MEMORY_LIMIT = 2_200_000_000
COPIES = 8
# Pillow would warn, and beyond twice its own limit refuse, in its own words: the check here says what to do.
Image.MAX_IMAGE_PIXELS = None


def _read_checked(path: Place, sha256: str) -> bytes:
    with as_file(path) as file:
        data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256 and not isinstance(path, Path):
        drop(path)  # this process may have seen an older version than the one that is asked for
        with as_file(path) as file:
            data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadInput(f"{path.name} was changed while the run was going on; run again")
    return data


@contextmanager
def _opened(path: Place, sha256: str | None) -> Iterator[BinaryIO]:
    """The file's bytes, to be decoded within this; what goes wrong is told by the file's name."""
    try:
        if sha256:
            data = io.BytesIO(_read_checked(path, sha256))
            with _telling(path.name):
                yield data
        else:
            with as_file(path) as file, file.open("rb") as opened, _telling(path.name):
                yield opened
    except FileNotFoundError:
        raise BadInput(f"there is no file {path.name}") from None
    except IsADirectoryError:
        raise BadInput(f"{path.name} is a folder, not a picture") from None
    except PermissionError as error:
        raise BadInput(f"{path.name} may not be read: {(error.strerror or 'permission denied').lower()}") from None


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Put the name before what is wrong with a picture, and let pass what is the machine's fault."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{name} {error}") from None
    except UnidentifiedImageError:
        raise BadInput(f"{name} is not a picture ({NAMES})") from None
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever they come across
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadInput(f"{name} is truncated or damaged: {error}") from None


def _check_memory(size: tuple[int, int], pixel_bytes: int, largest_part: int = 0) -> None:
    width, height = size
    if width * height > PIXEL_LIMIT:
        raise BadInput(f"has {width}x{height} pixels, over the limit of {PIXEL_LIMIT:,} in all; shrink it first")
    taken = max(width * height, largest_part) * (pixel_bytes + COPIES)
    if taken > MEMORY_LIMIT:
        raise BadInput(
            f"would take {taken / 1e9:.1f} GB of memory, over the limit of {MEMORY_LIMIT / 1e9:.1f} GB: it has "
            f"{width}x{height} pixels of {pixel_bytes} bytes; shrink it first, or save it with 8 bits"
        )


@contextmanager
def _by_pillow(file: BinaryIO, start: bytes) -> Iterator[Image.Image]:
    """The picture with its header read; its pixels are still to be decoded."""
    found = extra_of(start)
    if found is not None:
        found.load()
    with Image.open(file, formats=(found.format,) if found else FORMATS) as picture:
        _check_memory(picture.size, len(picture.getbands()) * (2 if picture.mode.startswith("I;16") else 1))
        yield picture


@contextmanager
def _tiff(file: BinaryIO) -> Iterator[Tiff]:
    from stylebatch.tasks.pictures.tiff import Tiff  # half a second, which most pictures need not wait for

    with closing(Tiff(file)) as tiff:
        _check_memory(tiff.size, tiff.pixel_bytes, tiff.largest_part)
        yield tiff


def _size(file: BinaryIO) -> tuple[int, int]:
    start = _start(file)
    if start.startswith(TIFFS):
        with _tiff(file) as tiff:
            return tiff.size
    with _by_pillow(file, start) as picture:
        return picture.size


def _decode(file: BinaryIO) -> Decoded:
    start = _start(file)
    if start.startswith(TIFFS):
        with _tiff(file) as tiff:
            if not tiff.needs_pillow:
                return tiff.decode()
    file.seek(0)
    with _by_pillow(file, start) as picture:
        if picture.format == "PNG":
            file.seek(0)
            data = file.read()
            if png.is_beyond_pillow(data):
                _check_memory(picture.size, png.pixel_bytes(data))
                colours, alpha = png.decode(data)
                return Decoded(colours, alpha, picture.info.get("icc_profile"), orientation_of(picture))
        return _taken_apart(picture)


def _taken_apart(picture: Image.Image) -> Decoded:
    """What is open in Pillow, decoded."""
    picture.load()
    return Decoded(*_separated(picture), picture.info.get("icc_profile"), orientation_of(picture))


def _start(file: BinaryIO) -> bytes:
    start = file.read(64)
    file.seek(0)
    return start


def _separated(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colours, in a mode that a profile can be for, and alpha, of any mode that Pillow decodes these formats into."""
    if picture.mode == "CMYK" and picture.format == "JPEG" and "adobe" not in picture.info:
        return ImageChops.invert(picture), None  # Pillow takes all of them for Adobe's, which are inverted
    if picture.mode in ("CMYK", "LAB"):
        return picture, None
    if picture.mode.startswith("I;16"):
        return from_samples(np.asarray(picture).astype(np.uint16)[..., None], 65535, 1)
    if picture.mode.startswith(("I", "F")):
        raise BadInput(f"has numbers of a kind that is not read here ({picture.mode}); convert it to 8 or 16 bits")
    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        return opaque.convert("L" if picture.mode in ("1", "L", "LA", "La") else "RGB"), opaque.getchannel("A")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB"), None


def to_rgb(picture: Image.Image) -> Image.Image:
    """A picture that is open in Pillow, whatever its mode: 8-bit RGB, upright, in sRGB, on white where transparent.

    Raises:
        BadInput: its mode is one that is not read here.
        Exception: whatever a decoder raises for what is damaged.
    """
    decoded = _taken_apart(picture)
    return turned(over(decoded, "white"), decoded.orientation)


def load_picture(path: Place, sha256: str | None = None) -> Image.Image:
    """Decode a picture: first frame, upright by its EXIF orientation, in sRGB, on white where it is transparent.

    Args:
        sha256: what the file's bytes must have as their digest, if that matters.

    Returns:
        A picture of mode RGB, of the file's full size.

    Raises:
        BadInput: it is missing, damaged, truncated, too large, or no picture; the text names the file and says what.
    """
    with _opened(path, sha256) as file:
        decoded = _decode(file)
        return turned(over(decoded, "white"), decoded.orientation)


def load_mask(path: Place, sha256: str | None = None) -> Image.Image:
    """As `load_picture`, but of mode L, and black where it is transparent: nothing is painted there.

    Raises:
        BadInput: as `load_picture`.
    """
    with _opened(path, sha256) as file:
        decoded = _decode(file)
        return turned(over(decoded, "black"), decoded.orientation).convert("L")


def header_size(path: Place) -> tuple[int, int]:
    """The sides by the header alone, in the file's order: its EXIF orientation may turn the picture.

    Raises:
        BadInput: as `load_picture`, but for damage that only decoding shows.
    """

    def find() -> str:
        with _opened(path, None) as file:
            width, height = _size(file)
        return f"{width} {height}"

    width, height = known(path, "size", find).split()
    return int(width), int(height)
