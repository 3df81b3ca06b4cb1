"""Networks with random weights, for the tests: those of torchvision cannot be downloaded everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from stylebatch.tasks.nst.layers import NetworkName
from stylebatch.tasks.nst.torchvision_import import torchvision_models

MODELS: dict[NetworkName, str] = {
    "vgg19-torchvision": "vgg19",
    "vgg16": "vgg16",
    "squeezenet": "squeezenet1_1",
    "mobilenet": "mobilenet_v2",
}


def make_model(network: NetworkName, seed: int = 3) -> Any:
    """torchvision's model with random weights, the classifier left out: it is most of a VGG's size."""
    torch.manual_seed(seed)
    with torch.device("meta"):
        features = torchvision_models().get_model(MODELS[network]).features.eval()
    features.to_empty(device="cpu")
    for name, tensor in features.state_dict().items():
        if tensor.is_floating_point():
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 100
            tensor.normal_(0, (2 / fan_in) ** 0.5)
            if name.endswith("running_var"):
                tensor.abs_().add_(1)
        else:
            tensor.zero_()
    return features


def save(features: Any, path: Path) -> Path:
    """Write its state as torchvision's files have it, in the format of the path's ending."""
    state = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state | {"classifier.0.weight": torch.zeros(2, 2)}, path)
    return path
