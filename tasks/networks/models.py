"""Files of trained networks: safetensors with what the network was trained for and how well it does.

One for any style comes with the package; `stylebatch train` writes others, for a style or for a collection too.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.networks.bundled import model_here
from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture
from stylebatch.tasks.nst.collection_network import CollectionNetwork
from stylebatch.tasks.nst.transformation import TransformationArchitecture
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.cache import as_file
from stylebatch.tasks.storage.files import has_digest, write_atomically
from stylebatch.tasks.storage.places import Place

Network = AnyStyleNetwork | CollectionNetwork
FORMAT, OF_COLLECTION = FORMATS = "stylebatch-any-style-1", "stylebatch-collection-3"
META = "stylebatch"  # the one key of the file's metadata
LARGEST = 4096  # channels or blocks


class Trained(BaseModel):
    """What a network's file says of it.

    Attributes:
        architecture: the fields of `Architecture`, or of `TransformationArchitecture`.
        style: the name of the style picture that it is tuned to, and its digest; empty where it is for any style. Of a
            collection, what it is called, and the digest of all its paintings.
        paintings: the digests of a collection's paintings, those first that were held out.
        settings: what the training's objective was made of.
        contents: pictures that it was trained with; ``styles``: the same of style pictures.
        held_out: contents that it was judged with.
        steps: of the training, with so many ``samples`` in all; ``seconds`` that they took.
        structure, style_distance: the means over the pictures that were held out, as a report has them.
        distance: of a collection's network, the Fréchet distance of its pictures to paintings that were held out, as a
            share of the photographs' own.
        smallest, largest: longer sides in pixels of the pictures that it was trained for.
    """

    model_config = ConfigDict(frozen=True)

    format: str = FORMAT
    architecture: dict[str, int]
    style: str
    style_sha256: str
    paintings: tuple[str, ...] = ()
    settings: Settings
    contents: int
    styles: int
    held_out: int
    steps: int
    samples: int
    seconds: float
    structure: float
    style_distance: float
    distance: float | None = None
    smallest: int
    largest: int

    @property
    def is_of_collection(self) -> bool:
        """Whether it paints as a collection does, and is told nothing of a style."""
        return self.format == OF_COLLECTION

    def is_far(self, longer: int) -> bool:
        """Whether it is for one style, whose strokes it has learned for other sizes than this longer side."""
        return bool(self.style_sha256) and not self.smallest <= longer <= self.largest


def write_model(path: Place, network: Network, trained: Trained) -> None:
    """Write a network in half precision, whole or not at all."""
    tensors = {name: tensor.half().cpu().contiguous() for name, tensor in network.state_dict().items()}
    write_atomically(path, safetensors.torch.save(tensors, {META: trained.model_dump_json()}))


def read_trained(path: Place) -> Trained:
    """What the file says of its network; the network itself is not read.

    Raises:
        BadInput: it is missing, damaged, or no file of a trained network.
    """
    try:
        with as_file(path) as local, safetensors.safe_open(local, "pt") as file:
            found = (file.metadata() or {}).get(META, "")
    except FileNotFoundError:
        raise BadInput(f"there is no file {path.name}") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise BadInput(f"{path.name} is damaged, or no trained network: {str(error).splitlines()[0]}") from None
    if not found:
        raise BadInput(f"{path.name} is no network that `stylebatch train` has written")
    try:
        trained = Trained.model_validate_json(found)
    except ValidationError as error:
        problem = error.errors()[0]
        text = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        raise BadInput(f"{path.name} was written by another version, or is damaged: {text}") from None
    if trained.format not in FORMATS:
        known = " and ".join(map(repr, FORMATS))
        raise BadInput(
            f"{path.name} has the format {trained.format!r}, and this version reads {known}: train it again with "
            "`stylebatch train`"
        )
    for name, number in trained.architecture.items():
        if not 1 <= number <= LARGEST:
            raise BadInput(f"{path.name} is damaged: {number} for {name}; it is from 1 to {LARGEST}")
    return trained


def read_model(path: Place) -> Network:
    """The network, in float32, on the processor, ready to stylize.

    Raises:
        BadInput: as `read_trained`, or its tensors do not fit what it says of itself.
    """
    trained = read_trained(path)
    try:
        with torch.device("meta"):
            network = _new(trained)
        with as_file(path) as local:
            tensors = {name: tensor.float() for name, tensor in safetensors.torch.load_file(local).items()}
        network.load_state_dict(tensors, assign=True)
    except (OSError, safetensors.SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise BadInput(f"{path.name} is damaged: {str(error).splitlines()[0]}") from None
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise BadInput(f"{path.name} is damaged: it holds what is no finite number")
    return network.requires_grad_(False).eval()


def _new(trained: Trained) -> Network:
    if trained.is_of_collection:
        return CollectionNetwork(TransformationArchitecture(**trained.architecture))
    return AnyStyleNetwork(Architecture(**trained.architecture))


def read_any_style(path: Place) -> AnyStyleNetwork:
    """`read_model` of a network that is told of a style.

    Raises:
        BadInput: as there, or it is one of a collection.
    """
    network = read_model(path)
    if isinstance(network, CollectionNetwork):
        raise BadInput(f"{path.name} paints as a collection does, and no other style can be learned from there")
    return network


@lru_cache(maxsize=64)
def load_trained(path: Place, sha256: str) -> Trained:
    """What the file says of its network, read once a process.

    Raises:
        BadInput: as `load_model`.
    """
    return read_trained(_unchanged(path, sha256))


@lru_cache(maxsize=4)
def load_model(path: Place, sha256: str, device: str) -> Network:
    """The network on a device, read once a process.

    Raises:
        BadInput: it is not the one any more that the key was made of.
    """
    return read_model(_unchanged(path, sha256)).to(torch.device(device))


def _unchanged(path: Place, sha256: str) -> Place:
    path = model_here(path)
    if not has_digest(path, sha256):
        raise BadInput(f"{path.name} was changed while the run was going on; run again")
    return path


def described(network: Network) -> dict[str, int]:
    """The network's architecture as its file has it."""
    return asdict(network.architecture)
