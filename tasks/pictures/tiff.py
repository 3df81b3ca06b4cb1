"""TIFF: a file says itself what its numbers mean, in more ways than Pillow knows.

What is compressed as a picture of its own (JPEG, fax), or in JPEG's colours, is left to Pillow, and every other file is
read here.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.orientation import TAG as ORIENTATION
from stylebatch.tasks.pictures.orientation import TURNS
from stylebatch.tasks.pictures.samples import Decoded, from_samples

BY_PILLOW = {2, 3, 4, 6, 7}  # compressions: fax and JPEG
STREAMS = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, Deflate, PackBits, Deflate, LZMA, Zstandard
# Photometric interpretations that are read, with their numbers of colours.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, LAB: 3}
SAMPLE_FORMATS = {2: "signed numbers", 3: "floating point", 5: "complex numbers", 6: "complex numbers"}
ASSOCIATED, UNASSOCIATED = 1, 2
ICC_PROFILE, INK_SET, MASK = 34675, 332, 4

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs what it finds odd; what is wrong is raised


class Tiff:
    """The first picture of a file, with its tags read and its numbers still to be.

    Raises:
        BadInput: its numbers have no meaning that is agreed on, or one that is not read; the text is to follow the
            file's name.
    """

    def __init__(self, file: Path | BinaryIO) -> None:
        self._file = tifffile.TiffFile(file, is_ome=False)
        page = self._file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        self._page = page
        self.size = page.imagewidth, page.imagelength
        plain = page.photometric == YCBCR and not page.is_subsampled
        self.needs_pillow = page.compression in BY_PILLOW or plain
        if not self.needs_pillow:
            self._check()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    @property
    def pixel_bytes(self) -> int:
        """What the file's numbers of one pixel take."""
        return self._page.samplesperpixel * (1 if self._page.dtype is None else self._page.dtype.itemsize)

    @property
    def largest_part(self) -> int:
        """Pixels of the largest strip or tile, which is unpacked as a whole."""
        page = self._page
        width, length = (page.tilewidth, page.tilelength) if page.is_tiled else (page.imagewidth, page.rowsperstrip)
        return int(width) * int(min(length, page.imagelength) if not page.is_tiled else length)

    def _check(self) -> None:
        page = self._page
        interpretation, bits = page.photometric, page.bitspersample
        if page.sampleformat in SAMPLE_FORMATS:
            raise BadInput(
                f"is in {SAMPLE_FORMATS[page.sampleformat]}, which have no agreed black and white; convert it to 8 or "
                "16 bits without a sign"
            )
        if interpretation not in COLOURS:
            name = getattr(interpretation, "name", interpretation)
            raise BadInput(f"has colours that are not read here ({name}); convert it to RGB or grey")
        if page.compression not in STREAMS:
            name = getattr(page.compression, "name", page.compression)
            raise BadInput(f"is compressed in a way that is not read here ({name}); save it with LZW or Deflate")
        if not isinstance(bits, int) or page.dtype is None or bits > 32 or page.imagedepth != 1:
            raise BadInput(f"has {bits} bits a sample, which is not read here; convert it to 8 or 16 bits")
        if interpretation == CMYK and page.tags.valueof(INK_SET, 1) != 1:
            raise BadInput("has other inks than cyan, magenta, yellow and black; convert it to RGB")
        if interpretation == LAB and bits != 8:
            raise BadInput(f"is in CIELab of {bits} bits; convert it to RGB")
        if page.samplesperpixel < COLOURS[interpretation]:
            raise BadInput("is truncated or damaged: it has fewer samples than colours")

    @property
    def orientation(self) -> int:
        """As EXIF counts it; 1 where it is not one."""
        with suppress(TypeError, ValueError):
            if (found := int(self._page.tags.valueof(ORIENTATION, 1))) in TURNS:
                return found
        return 1

    def decode(self) -> Decoded:
        """Read the numbers.

        Raises:
            Exception: whatever the decoder comes across in a damaged file.
        """
        page = self._page
        samples = page.asarray(maxworkers=1)
        if page.planarconfig == 2 and samples.ndim == 3:
            samples = np.moveaxis(samples, 0, -1)
        samples = samples.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
        if samples.dtype == bool:
            samples = samples.view(np.uint8)
        count, white = COLOURS[page.photometric], 2.0**page.bitspersample - 1
        extra = [int(kind) for kind in page.extrasamples]
        kinds = [kind for kind in extra if kind in (ASSOCIATED, UNASSOCIATED)]
        shown = list(range(count))
        if kinds and page.photometric != LAB:
            shown.append(page.samplesperpixel - len(extra) + extra.index(kinds[0]))
        samples = samples[..., shown] if len(shown) < samples.shape[2] else samples
        associated = kinds[:1] == [ASSOCIATED]
        profile = page.tags.valueof(ICC_PROFILE)
        profile = profile if isinstance(profile, bytes) else None
        if page.photometric == PALETTE:
            return self._through_palette(samples, white, associated)
        if page.photometric == LAB:
            return Decoded(Image.frombytes("LAB", self.size, samples.tobytes()), None, profile, self.orientation)
        colours, alpha = from_samples(
            samples, white, count, inverted=page.photometric == WHITE_IS_ZERO, associated=associated
        )
        return Decoded(colours, alpha, profile, self.orientation)

    def _through_palette(self, samples: NDArray[Any], white: float, associated: bool) -> Decoded:
        table = self._page.colormap
        if table is None or table.shape[1] <= int(samples[..., 0].max(initial=0)):
            raise BadInput("is truncated or damaged: its palette is too short")
        if table.max() < 256:  # some programs write 8 bits where 16 belong
            table = table * 257
        colours = (table / 257).round().astype(np.uint8).T[samples[..., 0]]
        alpha = None
        if samples.shape[2] > 1:
            _, alpha = from_samples(samples, white, 1)
        return Decoded(Image.fromarray(colours), alpha, None, self.orientation)
