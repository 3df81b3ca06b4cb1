"""What a training has come to, on disk, so that a process that was killed costs a few minutes and not all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.cache import as_file
from stylebatch.tasks.storage.files import remove, write_atomically
from stylebatch.tasks.storage.places import Place


class Checkpoint:
    """Tensors and numbers of the training with this digest.

    Args:
        digest: of all that decides the training's outcome; what another training has left here is not read.
    """

    def __init__(self, path: Place, digest: str) -> None:
        self._path, self._digest = path, digest

    def save(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Write both, whole or not at all."""
        text = json.dumps({"digest": self._digest, "numbers": dict(numbers)})
        write_atomically(self._path, safetensors.torch.save(dict(tensors), {"stylebatch": text}))

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """What `save` was given last; nothing, where there is none, or it is damaged."""
        try:
            with as_file(self._path) as local:
                with safetensors.safe_open(local, "pt") as file:
                    held = json.loads((file.metadata() or {}).get("stylebatch", "{}"))
                if held.get("digest") != self._digest:
                    return None
                return safetensors.torch.load_file(local), held["numbers"]
        except (BadInput, OSError, ValueError, KeyError, AttributeError, safetensors.SafetensorError):
            return None

    def remove(self) -> None:
        """Remove the file, if there is one."""
        remove(self._path)
