"""The encoder: a trained network, cut off behind the last layer that a loss looks at.

`layers` has the networks and what their layers are called; `architecture` has their modules, `weights` their weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from stylebatch.tasks.nst.architecture import features
from stylebatch.tasks.nst.layers import DEFAULT, NETWORKS, NetworkName, Normalization
from stylebatch.tasks.nst.weights import bundled_weights, read_weights

T = TypeVar("T")
Pooling = Literal["max", "average"]


class Encoder(nn.Module):
    """A network up to the deepest of ``layers``, frozen.

    Channel order and scale of the weights are folded into the first convolution, and the mean is subtracted before it:
    inside the project a picture is RGB in [0, 1], and the zeros that a convolution pads with are the mean colour that
    the network was trained with.

    Args:
        layers: names of the features that `forward` can be asked for, e.g. ``["relu1_1", "relu4_2"]``.
        dtype: of weights and features; bfloat16 where that is faster, see `precision`.
        pooling: between the stages; Gatys et al. found average pooling to look slightly better.
        network: one of `NETWORKS`.
        weights: their file; without it the bundled ones, which are those of VGG-19.

    Raises:
        UnfitWeights: the file is damaged or another network's.
    """

    def __init__(
        self,
        layers: Iterable[str],
        dtype: torch.dtype = torch.float32,
        pooling: Pooling = "max",
        device: torch.device | str = "cpu",
        network: NetworkName = DEFAULT,
        weights: Path | None = None,
    ) -> None:
        super().__init__()
        self.layers = frozenset(layers)
        self.dtype = dtype
        named, normalization = NETWORKS[network], NETWORKS[network].normalization
        modules = features(network)
        modules.load_state_dict(read_weights(weights or bundled_weights(), network), assign=True)
        _fold(normalization, modules)
        if pooling == "average":
            modules = nn.Sequential(*map(_averaging, modules))
        deepest = max(named.modules.index(layer) for layer in self.layers)
        needed = dict(zip(named.modules[: deepest + 1], modules, strict=False))
        stages = ([(name, needed[name]) for name in stage if name in needed] for stage in named.stages)
        self.stages = nn.ModuleList(nn.Sequential(OrderedDict(stage)) for stage in stages if stage)
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(normalization.mean).view(1, 3, 1, 1))
        self.requires_grad_(False)
        self.stages.to(dtype)
        self.to(torch.device(device))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form

    def forward(self, picture: Tensor, at: Mapping[str, Callable[[Tensor], T]], recomputed: int = 0) -> dict[str, T]:
        """Look at the features of a picture: ``at`` says what is made of them at each layer.

        Args:
            picture: (N, 3, H, W), RGB in [0, 1], any float type; H and W at least `Network.minimum_side`.
            at: name of a layer to what is called with its features, (N, C, h, w) in the encoder's type, with h and w
                about halved from a stage to the next. They are not to be changed.
            recomputed: so many of the first stages keep only their input for the backward pass, which calls them, and
                ``at`` for their layers, a second time.

        Returns:
            Name of the layer to what its function has returned.
        """
        seen: dict[str, T] = {}
        x = (picture - self.mean).to(self.dtype, memory_format=torch.channels_last)  # (N, 3, H, W)
        for number, stage in enumerate(self.stages):
            if number < recomputed:
                x, found = checkpoint(self.through, stage, x, at, use_reentrant=False, preserve_rng_state=False)
            else:
                x, found = self.through(stage, x, at)
            seen |= found
        return seen

    @staticmethod
    def through(stage: nn.Module, x: Tensor, at: Mapping[str, Callable[[Tensor], T]]) -> tuple[Tensor, dict[str, T]]:
        """One of `stages`: what comes out of it, and what ``at`` has made of the features at its layers."""
        seen = {}
        for name, module in stage.named_children():
            x = module(x)  # (N, C, h, w)
            if name in at:
                seen[name] = at[name](x)
        return x, seen


def _fold(normalization: Normalization, modules: nn.Module) -> None:
    """Let the first convolution take RGB in [0, 1], with the mean subtracted."""
    first = next(module for module in modules.modules() if isinstance(module, nn.Conv2d))
    weight = first.weight.flip(1) if normalization.bgr else first.weight
    first.weight = nn.Parameter(weight * weight.new_tensor(normalization.gain).view(1, 3, 1, 1))


def _averaging(module: nn.Module) -> nn.Module:
    """The average pooling of the same sides in the place of a max pooling."""
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
    return module
