"""Whether the file of a row's network is one, and fits the row, found before any work is done.

Apart from `models`, so that a check of rows goes without torch where they name no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stylebatch.tasks.errors import BadInput, told
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place


def check_model(model: str, styles: Sequence[str], locate: Callable[[str], Place]) -> str:
    """What is wrong with the network of a row whose engine is ``feedforward``, or nothing.

    Args:
        model: the setting.
        styles: the row's style pictures, as it names them.
    """
    if model == "none":
        return ""
    from stylebatch.tasks.networks.models import read_model, read_trained

    try:
        file = locate(model)
        read_model(file)
        trained = read_trained(file)
        others = [name for name in styles if trained.style_sha256 not in ("", sha256_of(locate(name)))]
    except (BadInput, OSError) as error:
        return told(error)
    if not others:
        return ""
    return (
        f"{file.name} is tuned to another style, {trained.style}; leave model out for the network that paints in any, "
        f"or tune one to this: stylebatch train {others[0]} …"
    )
