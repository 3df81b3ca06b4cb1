"""How much memory a step takes, and what can be computed again instead of being kept.

The backward pass needs the features of every layer. A stage of the encoder, from one pooling to the next, can do
without: its input is kept, and the rest computed again when it is needed (Chen, Xu, Zhang, Guestrin, "Training Deep
Nets with Sublinear Memory Cost", 2016). The first stages hold most of the memory and little of the arithmetic; the
picture comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stylebatch.tasks.nst.encoder import Encoder

PROBE = 128  # pixels of the side of the picture that a network is measured with
PIXEL = 3 * 4  # bytes of one pixel of a picture, or of its coefficients
# Copies of the picture, its coefficients and their gradients that the loop and the optimizer hold beside the history.
COPIES = 15
# Times the largest tensor of a stage that its backward pass takes beside what the forward pass has kept: the gradients
# before and behind a layer, and that of the Gram matrix.
WORKSPACE = 2.5


@dataclass(frozen=True)
class StageMemory:
    """What one stage takes, in bytes for each pixel of the picture.

    Attributes:
        taken_in: its input.
        saved: all that the backward pass needs of it.
        largest: its largest tensor.
        layers: by the name of each of its layers, the features there in float32.
    """

    taken_in: float
    saved: float
    largest: float
    layers: Mapping[str, float]


# By what an encoder is built of, since its weights are no matter, and no encoder is to be kept alive by this.
_measured: dict[tuple[str, torch.dtype, torch.device], tuple[StageMemory, ...]] = {}


def stages_of(encoder: Encoder) -> tuple[StageMemory, ...]:
    """The encoder's stages, measured once for all encoders that are built alike."""
    built = repr(encoder), encoder.dtype, encoder.mean.device
    if built not in _measured:
        _measured[built] = tuple(_measure(encoder))
    return _measured[built]


def _measure(encoder: Encoder) -> Iterator[StageMemory]:
    """On a small picture: features grow with the number of pixels."""
    parameters = {parameter.data_ptr() for parameter in encoder.parameters()}
    pixels = PROBE * PROBE
    x = torch.zeros((1, 3, PROBE, PROBE), dtype=encoder.dtype, device=encoder.mean.device)
    x = x.to(memory_format=torch.channels_last).requires_grad_()
    for stage in encoder.stages:
        kept: dict[int, int] = {}

        def keep(tensor: Tensor, kept: dict[int, int] = kept) -> Tensor:
            if tensor.data_ptr() not in parameters:
                kept[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            y, counts = encoder.through(stage, x, {name: Tensor.numel for name, _ in stage.named_children()})
        sizes = [*kept.values(), y.nbytes]
        layers = {layer: 4 * count / pixels for layer, count in counts.items()}
        yield StageMemory(x.nbytes / pixels, sum(kept.values()) / pixels, max(sizes) / pixels, layers)
        x = y.detach().requires_grad_()


def content_memory(stages: Sequence[StageMemory], layers: Iterable[str]) -> float:
    """What the distances from the content at these layers keep, in bytes for each pixel of the picture.

    Both are float32: what is compared of the picture, and what it is compared with.
    """
    found = {layer: size for stage in stages for layer, size in stage.layers.items()}
    return 2 * sum(found[layer] for layer in layers)


def peak_memory(
    stages: Sequence[StageMemory], pixels: int, history: int, recomputed: int, content: float = 0.0
) -> float:
    """The most that one step has in memory at any moment, in bytes, without the network and the program themselves.

    Args:
        pixels: of the picture.
        history: steps that L-BFGS remembers; each is two copies of the coefficients.
        recomputed: so many of the first stages are computed again in the backward pass.
        content: `content_memory`.
    """
    kept = peak = 0.0
    for number, stage in enumerate(stages):
        peak = max(peak, kept + stage.saved + WORKSPACE * stage.largest)
        kept += stage.taken_in if number < recomputed else stage.saved
    return pixels * (peak + content + PIXEL * (COPIES + 2 * history))


def stages_to_recompute(
    stages: Sequence[StageMemory], pixels: int, history: int, memory: float, content: float = 0.0
) -> int:
    """The fewest of the first stages to compute again so that a step fits into ``memory`` bytes; all, if none fits."""
    for recomputed in range(len(stages)):
        if peak_memory(stages, pixels, history, recomputed, content) <= memory:
            return recomputed
    return len(stages)
