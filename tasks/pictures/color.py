"""Colours of a file in sRGB: profiles, and what is seen through transparency."""

from __future__ import annotations

import io
from contextlib import suppress

from PIL import Image, ImageCms

from stylebatch.tasks.pictures.samples import Decoded

# Colour spaces of ICC profiles, with the modes that they are for.
SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}


def over(picture: Decoded, background: str) -> Image.Image:
    """The picture in sRGB, mode RGB, on a background where it is transparent."""
    colours = _to_srgb(picture.colours, picture.profile)
    if picture.alpha is None:
        return colours
    opaque = Image.new("RGB", colours.size, background)
    opaque.paste(colours, mask=picture.alpha)
    return opaque


def _to_srgb(colours: Image.Image, embedded: bytes | None) -> Image.Image:
    """Apply the embedded ICC profile. One that cannot be read, or is for other colours, is ignored, as browsers do."""
    srgb = ImageCms.createProfile("sRGB")
    if embedded:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
            mode = SPACES.get(profile.profile.xcolor_space.strip(), "")
            if mode == "RGB" and colours.mode == "L":  # its curves are for grey, too
                colours = colours.convert("RGB")
            if mode == colours.mode:
                converted = ImageCms.profileToProfile(colours, profile, srgb, outputMode="RGB")
                if converted is not None:
                    return converted
    if colours.mode == "LAB":
        converted = ImageCms.profileToProfile(colours, ImageCms.createProfile("LAB"), srgb, outputMode="RGB")
        assert converted is not None
        return converted
    return colours.convert("RGB")
