"""Whether the file that a row names for its network is one, found before any work is done.

Apart from `models`, so that a check of rows that name none goes without torch.
"""

from __future__ import annotations

from collections.abc import Callable

from tasks.errors import BadInput, told
from tasks.places import Place


def check_model(model: str, locate: Callable[[str], Place]) -> str:
    """What is wrong with the network of a row whose engine is ``feedforward``, or nothing.

    Args:
        model: the setting, which `locate` makes a path of.
    """
    if model == "none":
        return "engine=feedforward needs the file of a trained network; `stylebatch train STYLE …` makes one"
    from tasks.models import read_model

    try:
        read_model(locate(model))
    except (BadInput, OSError) as error:
        return told(error)
    return ""
