"""Pictures as people have them in folders: any of the usual formats in, sRGB out."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.cache import as_file, drop
from stylebatch.tasks.storage.facts import known
from stylebatch.tasks.storage.places import Place

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
# About 13,000 x 13,000. A decoded picture takes three bytes a pixel, and a file of a few kilobytes can claim any size.
PIXEL_LIMIT = 178_956_970
# Pillow would warn, and beyond twice its own limit refuse, in its own words: the check here says what to do.
Image.MAX_IMAGE_PIXELS = None


def _read_checked(path: Place, sha256: str) -> io.BytesIO:
    with as_file(path) as file:
        data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256 and not isinstance(path, Path):
        drop(path)  # this process may have seen an older version than the one that is asked for
        with as_file(path) as file:
            data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadInput(f"{path.name} was changed while the run was going on; run again")
    return io.BytesIO(data)


def _open(path: Place, sha256: str | None = None) -> Image.Image:
    """The picture with its header read; its pixels are still to be decoded."""
    try:
        if sha256:
            picture = Image.open(_read_checked(path, sha256), formats=FORMATS)
        else:
            with as_file(path) as file:
                picture = Image.open(file, formats=FORMATS)
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadInput(f"there is no file {path.name}") from None
    except IsADirectoryError:
        raise BadInput(f"{path.name} is a folder, not a picture") from None
    except PermissionError as error:
        raise BadInput(f"{path.name} may not be read: {(error.strerror or 'permission denied').lower()}") from None
    except UnidentifiedImageError:
        raise BadInput(f"{path.name} is not a picture (JPEG, PNG, WebP, TIFF, BMP or GIF)") from None
    except Exception as error:
        raise _damaged(path, error) from None
    width, height = picture.size
    if width * height > PIXEL_LIMIT:
        raise BadInput(
            f"{path.name} has {width}x{height} pixels, over the limit of {PIXEL_LIMIT:,} in all; shrink it first"
        )
    return picture


def _damaged(path: Place, error: Exception) -> Exception:
    """The error to raise for one that a decoder raised: they raise whatever they come across."""
    if isinstance(error, OSError) and error.errno is not None:
        return error  # the disk's fault, and not the picture's
    return BadInput(f"{path.name} is truncated or damaged: {error}")


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Apply the embedded ICC profile. One that cannot be read is ignored, as browsers do."""
    embedded = picture.info.get("icc_profile")
    if not embedded:
        return picture
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if converted is not None:
            return converted
    return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Any of Pillow's modes to 8-bit RGB; what is transparent becomes white."""
    if picture.mode == "F":
        raise BadInput("is in 32-bit floating point, which has no fixed range; convert it to 8 or 16 bits")
    if picture.mode.startswith("I"):  # 16 bits a pixel, which some files carry in 32
        grey = np.asarray(picture).astype(np.int64)
        profile = picture.info.get("icc_profile")
        picture = Image.fromarray((grey.clip(0, 65535) / 257).round().astype(np.uint8))
        picture.info["icc_profile"] = profile
    if picture.has_transparency_data:
        colours = picture.convert("L" if picture.mode == "LA" else "RGB")  # a profile fits its own mode only
        opaque = Image.new("RGB", picture.size, "white")
        opaque.paste(_to_srgb(colours).convert("RGB"), mask=picture.convert("RGBA").getchannel("A"))
        return opaque
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return _to_srgb(picture).convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. EXIF data that cannot be read is ignored, as browsers do."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def to_rgb(picture: Image.Image) -> Image.Image:
    """A picture that is open in Pillow, whatever its mode: 8-bit RGB, upright, in sRGB, on white where transparent.

    Raises:
        BadInput: its mode has no fixed range.
        Exception: whatever a decoder raises for what is damaged.
    """
    picture.load()
    return _to_rgb(_upright(picture))


def load_picture(path: Place, sha256: str | None = None) -> Image.Image:
    """Decode a picture: first frame, upright by its EXIF orientation, in sRGB, on white where it is transparent.

    Args:
        sha256: what the file's bytes must have as their digest, if that matters.

    Returns:
        A picture of mode RGB, of the file's full size.

    Raises:
        BadInput: it is missing, damaged, truncated, too large, or no picture; the text names the file and says what.
    """
    picture = _open(path, sha256)
    try:
        return to_rgb(picture)
    except BadInput as error:
        raise BadInput(f"{path.name} {error}") from None
    except Exception as error:
        raise _damaged(path, error) from None


def header_size(path: Place) -> tuple[int, int]:
    """The sides by the header alone, in the file's order: its EXIF orientation may turn the picture.

    Raises:
        BadInput: as `load_picture`, but for damage that only decoding shows.
    """

    def find() -> str:
        with _open(path) as picture:
            return f"{picture.width} {picture.height}"

    width, height = known(path, "size", find).split()
    return int(width), int(height)
