"""Paint the sample style pictures from nothing but arithmetic and a random seed.

The pictures give the sample manifests something to borrow a style from without borrowing
anybody's artwork.  Each is full of strokes, edges and colour contrast at several scales, because
that is what style transfer picks up.  Painting again gives the same pictures.

Run it to (re)paint all of them, or only the ones named, next to this file:

    python manifests/styles/paint.py [NAME ...]

The names are swirls, glass, waves and papercut.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from painters.canvas import SIZE
from painters.glass import glass
from painters.papercut import papercut
from painters.swirls import swirls
from painters.waves import waves

JPEG_QUALITY = 90

PAINTERS: dict[str, tuple[int, Callable[[np.random.Generator], Image.Image]]] = {
    "swirls": (1889, swirls),
    "glass": (1220, glass),
    "waves": (1831, waves),
    "papercut": (1952, papercut),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint the pictures named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Paint the sample style pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PAINTERS))
    names = parser.parse_args(arguments).names or list(PAINTERS)
    if unknown := set(names) - set(PAINTERS):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    for name in names:
        seed, painter = PAINTERS[name]
        picture = painter(np.random.default_rng(seed)).resize(SIZE, Image.Resampling.LANCZOS)
        path = Path(__file__).with_name(f"{name}.jpg")
        picture.save(path, quality=JPEG_QUALITY, optimize=True, subsampling=0)
        print(f"painted {path.name}")


if __name__ == "__main__":
    main()
