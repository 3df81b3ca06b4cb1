"""A few rows at a time: what layers make of a picture that is too large to be gone through as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from stylebatch.tasks.nst.layer import Layer, Modulation, Statistics


def in_strips(layers: Sequence[Layer], modulations: Sequence[Modulation | None], x: Tensor, rows: int) -> Tensor:
    """What ``layers`` make of (1, C, h, w), without gradients, with about ``rows`` rows of each in memory at a time.

    Each layer is told its modulation, (1, C) each, or nothing where it does not normalize.

    A normalization needs the statistics of its layer over the whole picture. So the picture is gone through once for
    each of them, each time one layer deeper, and only what the last layer makes is kept: the same as for the whole
    picture but for rounding, at the cost of computing the first layers again.
    """
    strips = _Strips(layers, modulations, x)
    with torch.no_grad():
        for depth, layer in enumerate(layers):
            if layer.normalized:
                strips.measure(depth, rows)
        last = len(layers) - 1
        return torch.cat([strips.finished(last, *strip) for strip in strips.split(last, rows)], 2)


class _Strips:
    """Rows of what each layer makes, computed from the picture each time anew."""

    def __init__(self, layers: Sequence[Layer], modulations: Sequence[Modulation | None], x: Tensor) -> None:
        self._layers, self._modulations, self._x = layers, modulations, x
        self._heights: list[int] = []
        self._statistics: dict[int, Statistics] = {}
        height = x.shape[-2]
        for layer in layers:
            height = -(-height * layer.enlarge // layer.stride)
            self._heights.append(height)

    def split(self, depth: int, rows: int) -> Iterator[tuple[int, int]]:
        """The first row of each strip of a layer, and the one behind its last."""
        height = self._heights[depth]
        for first in range(0, height, rows):
            yield first, min(first + rows, height)

    def measure(self, depth: int, rows: int) -> None:
        """Find the statistics of a layer; those of the layers before it are known."""
        found = []
        for strip in self.split(depth, rows):
            x = self._convolved(depth, *strip)[0].flatten(1).float()  # (C, n)
            found.append((x.shape[1], x.mean(1).double(), x.var(1, correction=0).double()))
        count = sum(n for n, _, _ in found)
        mean = torch.stack([n * one for n, one, _ in found]).sum(0) / count  # (C,)
        variance = torch.stack([n * (one + (middle - mean) ** 2) for n, middle, one in found]).sum(0) / count
        self._statistics[depth] = mean.float(), variance.float()

    def finished(self, depth: int, first: int, last: int) -> Tensor:
        """Rows of a layer, normalized and rectified as it is; before the first layer, those of the picture."""
        if depth < 0:
            return self._x[..., first:last, :]
        layer, modulation = self._layers[depth], self._modulations[depth]
        x = self._convolved(depth, first, last)
        if modulation is not None:
            x = layer.normalize(x, modulation, self._statistics[depth])
        return layer.finish(x)

    def _convolved(self, depth: int, first: int, last: int) -> Tensor:
        """Rows of a layer as its convolution gives them."""
        layer = self._layers[depth]
        height = layer.enlarge * (self._heights[depth - 1] if depth else self._x.shape[-2])
        margin = layer.kernel // 2
        # What the convolution looks at, and as much of it as there is: the rest is reflected.
        begin, end = first * layer.stride - margin, (last - 1) * layer.stride + margin + 1
        there = max(begin, 0), min(end, height)
        return layer.convolve(self._enlarged(depth, *there), there[0] - begin, end - there[1])

    def _enlarged(self, depth: int, first: int, last: int) -> Tensor:
        """Rows of what the layer's convolution is given."""
        layer = self._layers[depth]
        before = first // layer.enlarge
        x = layer.enlarged(self.finished(depth - 1, before, -(-last // layer.enlarge)))
        skipped = before * layer.enlarge
        return x[..., first - skipped : last - skipped, :]
