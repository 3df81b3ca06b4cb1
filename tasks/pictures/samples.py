"""Numbers of a picture's file as 8-bit pictures: what bits, photometric interpretation and alpha mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROWS = 256  # that are converted at once, so that no copy of a whole picture in floating point is made
MODES = {1: "L", 3: "RGB", 4: "CMYK"}


@dataclass(frozen=True)
class Decoded:
    """A picture as its file has it, in 8 bits.

    Attributes:
        colours: of mode L, RGB, CMYK or LAB, in the space of ``profile``; not multiplied by the alpha.
        alpha: of mode L; none where all is opaque.
        profile: the embedded ICC profile, if there is one.
        orientation: as EXIF counts it, 1 to 8.
    """

    colours: Image.Image
    alpha: Image.Image | None = None
    profile: bytes | None = None
    orientation: int = 1


def from_samples(
    samples: NDArray[Any], white: float, colours: int, *, inverted: bool = False, associated: bool = False
) -> tuple[Image.Image, Image.Image | None]:
    """Colours and alpha of unsigned numbers.

    Args:
        samples: (H, W, C), C being ``colours``, or one more: the alpha.
        white: the number that stands for white, 2^bits - 1; black is 0.
        colours: 1, 3 or 4.
        inverted: 0 is white instead.
        associated: the colours were multiplied by the alpha.
    """
    height, width, channels = samples.shape
    found = np.empty((height, width, colours), np.uint8)
    alpha = np.empty((height, width), np.uint8) if channels > colours else None
    for top in range(0, height, ROWS):
        block: NDArray[Any] = samples[top : top + ROWS].astype(np.float32 if white < 2**24 else np.float64)
        block = block * (255 / white)
        colour = block[..., :colours]
        if alpha is not None:
            opacity = block[..., colours:]
            alpha[top : top + ROWS] = opacity[..., 0].round()
            if associated:
                colour = (colour * 255 / opacity.clip(1e-3)).clip(0, 255)
        found[top : top + ROWS] = (255 - colour if inverted else colour).round()
    picture = Image.fromarray(found[..., 0] if colours == 1 else found, MODES[colours])
    return picture, None if alpha is None else Image.fromarray(alpha)
