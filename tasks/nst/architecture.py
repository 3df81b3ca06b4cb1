"""The networks' modules, without their weights."""

from __future__ import annotations

import torch
from torch import nn

from stylebatch.tasks.nst.layers import NETWORKS, NetworkName
from stylebatch.tasks.nst.torchvision_import import torchvision_models

# Output channels of the convolutions of a VGG, by block (Simonyan, Zisserman 2015, table 1).
VGG_CHANNELS = (64, 128, 256, 512, 512)


def features(network: NetworkName) -> nn.Sequential:
    """The convolutional part of ``network``, numbered as torchvision's ``features`` are, in evaluation mode.

    Its tensors have shapes but no memory (torch's device ``meta``): they are to be replaced by a file's.
    """
    with torch.device("meta"):
        match network:
            case "squeezenet":
                modules: nn.Sequential = torchvision_models().squeezenet1_1().features
            case "mobilenet":
                modules = torchvision_models().mobilenet_v2().features
            case _:
                modules = _vgg(NETWORKS[network].modules)
    return modules.eval()


def _vgg(names: tuple[str, ...]) -> nn.Sequential:
    """The modules that are called ``convB_I``, ``reluB_I`` and ``poolB``."""
    modules: list[nn.Module] = []
    width = 3
    for name in names:
        if name.startswith("conv"):
            block, _ = name.removeprefix("conv").split("_")
            previous, width = width, VGG_CHANNELS[int(block) - 1]
            modules.append(nn.Conv2d(previous, width, 3, padding=1))
        elif name.startswith("relu"):
            modules.append(nn.ReLU(inplace=True))
        else:
            modules.append(nn.MaxPool2d(2))
    return nn.Sequential(*modules)
