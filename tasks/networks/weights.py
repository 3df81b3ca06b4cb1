"""The files of the networks' weights: where they are, whether they fit, and how torchvision's get here.

torch is imported by what needs it, so that a check of rows with the bundled weights goes without.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from stylebatch.tasks.errors import BadInput, told
from stylebatch.tasks.nst.layers import NETWORKS, NetworkName
from stylebatch.tasks.progress import watcher
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.cache import as_file
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place

SOURCE = "https://download.pytorch.org/models/"
PATIENCE = 30.0  # seconds that a connection may be silent
BLOCK = 1 << 20  # bytes between two looks at how far it is


def check_weights(network: NetworkName, weights: str, locate: Callable[[str], Place]) -> str:
    """What is wrong with the weights, or nothing; what is still to be downloaded is not wrong.

    Args:
        weights: ``auto``, or what `locate` makes a path of.
    """
    try:
        if weights != "auto":
            _check_own(network, locate(weights))
        elif NETWORKS[network].download and (file := downloaded(network)).exists():
            _check_hash(file, sha256_of(file))
    except (BadInput, OSError) as error:
        return told(error)
    return ""


def fetch_weights(network: NetworkName, weights: str, locate: Callable[[str], Place]) -> tuple[Place, str]:
    """The file of the weights, downloaded if need be, and its SHA-256.

    Raises:
        BadInput: it can neither be found nor downloaded, or is not what its name says.
        OSError: it cannot be read.
    """
    if weights != "auto":
        file = locate(weights)
        return file, sha256_of(file)
    if not NETWORKS[network].download:
        from stylebatch.tasks.nst.weights import bundled_weights

        return bundled_weights(), sha256_of(bundled_weights())
    file = downloaded(network)
    if not file.exists():
        _download(network, file)
    sha256 = sha256_of(file)
    _check_hash(file, sha256)
    return file, sha256


def weights_here(settings: Settings, weights: Place) -> Place:
    """The file of a job's weights on this machine, which need not be the one that the job was made on.

    Raises:
        BadInput: as `fetch_weights`.
    """
    if settings.weights != "auto" or not isinstance(weights, Path) or weights.exists():
        return weights
    return fetch_weights(settings.network, "auto", Path)[0]


def downloaded(network: NetworkName) -> Path:
    """Where torchvision keeps the network's weights, whether they are there or not."""
    from torch.hub import get_dir

    return Path(get_dir(), "checkpoints", NETWORKS[network].download)


def missing_downloads(settings: Iterable[Settings]) -> list[tuple[str, Path]]:
    """What a run with these settings would download: each address, and the file that it becomes."""
    asked = {one.network for one in settings if one.weights == "auto" and NETWORKS[one.network].download}
    files = ((SOURCE + NETWORKS[network].download, downloaded(network)) for network in sorted(asked))
    return [(address, file) for address, file in files if not file.exists()]


def _check_own(network: NetworkName, file: Place) -> None:
    from stylebatch.tasks.nst.weights import UnfitWeights, read_weights

    try:
        with as_file(file) as local:
            if not local.is_file():
                raise FileNotFoundError
            read_weights(local, network)
    except FileNotFoundError:
        raise BadInput(f"there is no file {file.name}") from None
    except UnfitWeights as error:
        raise BadInput(str(error)) from None


def _check_hash(file: Path, sha256: str) -> None:
    if not _is_named_by(file, sha256):
        raise BadInput(f"{file} is damaged: its SHA-256 is not that in its name; delete it and run again")


def _is_named_by(file: Path, sha256: str) -> bool:
    """torchvision ends its files' names with the first digits of their SHA-256."""
    return sha256.startswith(file.stem.rpartition("-")[2])


def _download(network: NetworkName, file: Path) -> None:
    address = SOURCE + file.name
    temporary = file.with_name(f".{uuid.uuid4().hex}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with urlopen(address, timeout=PATIENCE) as response, temporary.open("xb") as written:
            total = int(response.headers.get("Content-Length") or 0)
            while block := response.read(BLOCK):
                written.write(block)
                watcher.get().fetching(file.name, written.tell(), total)
        if not _is_named_by(file, sha256_of(temporary)):
            raise BadInput("what came is not what its name says")
        os.replace(temporary, file)
    except (OSError, HTTPException, BadInput) as error:
        raise BadInput(
            f"{network} needs weights that cannot be downloaded: {getattr(error, 'reason', error)}; put {address} into "
            f"{file.parent}, or give a file of your own with --set weights=FILE"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
