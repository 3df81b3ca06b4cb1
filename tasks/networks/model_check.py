"""Whether the file that a row names for its network is one, and for its style, found before any work is done.

Apart from `models`, so that a check of rows that name none goes without torch.
"""

from __future__ import annotations

from collections.abc import Callable

from stylebatch.tasks.errors import BadInput, told
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place


def check_model(model: str, style: str, locate: Callable[[str], Place]) -> str:
    """What is wrong with the network of a row whose engine is ``feedforward``, or nothing.

    Args:
        model: the setting, which `locate` makes a path of.
        style: the row's style picture, likewise.
    """
    if model == "none":
        return "engine=feedforward needs the file of a trained network; `stylebatch train STYLE …` makes one"
    from stylebatch.tasks.networks.models import read_model, read_trained

    try:
        file, picture = locate(model), locate(style)
        read_model(file)
        trained = read_trained(file)
        if trained.style_sha256 == sha256_of(picture):
            return ""
    except (BadInput, OSError) as error:
        return told(error)
    return (
        f"{file.name} was trained for another style, {trained.style}; train one for this: "
        f"stylebatch train {picture.name} …"
    )
