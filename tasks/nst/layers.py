"""The layers of the encoder, by name. Apart from `encoder`, so that naming a layer does not import torch."""

from __future__ import annotations

from collections.abc import Iterable

# Output channels of VGG-19's convolutions, a tuple a block: configuration E of Simonyan, Zisserman (2015).
VGG19_BLOCKS = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
# reluB_I: the I-th rectified convolution of block B, as the papers call it.
LAYERS = tuple(
    f"relu{block}_{index}"
    for block, channels in enumerate(VGG19_BLOCKS, start=1)
    for index in range(1, len(channels) + 1)
)


def block_of(layer: str) -> int:
    """The block, from 1, that ``layer`` belongs to."""
    return int(layer.removeprefix("relu").split("_")[0])


def minimum_side(layers: Iterable[str]) -> int:
    """The shortest side, in pixels, of a picture that still has a feature at each of ``layers``."""
    return int(2 ** (max(map(block_of, layers)) - 1))
