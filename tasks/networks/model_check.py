"""Whether the file of a row's network is one, and fits the row, found before any work is done.

Apart from `models`, so that a check of rows goes without torch where they name no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from stylebatch.tasks.errors import BadInput, told
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place


def check_model(
    model: str,
    styles: Sequence[str],
    recolors: bool,
    locate: Callable[[str], Place],
    pictures_of: Callable[[str], Sequence[str]],
) -> str:
    """What is wrong with the network of a row whose engine is ``feedforward``, or nothing.

    Args:
        model: the setting.
        styles: the row's styles, as it names them.
        recolors: whether the style pictures are to be given the content's colours.
        pictures_of: the names of a style's pictures, of which a collection has several.
    """
    if model == "none":
        return ""
    from stylebatch.tasks.networks.models import read_model, read_trained

    try:
        file = locate(model)
        read_model(file)
        trained = read_trained(file)
        digests = {name: {sha256_of(locate(one)) for one in pictures_of(name)} for name in styles}
    except (BadInput, OSError) as error:
        return told(error)
    if trained.is_of_collection:
        if recolors:
            return f"{file.name} is shown no style that could be recoloured; take preserve_color=luminance, or none"
        if all(len(found) > 1 and not found.isdisjoint(trained.paintings) for found in digests.values()):
            return ""
        return (
            f"{file.name} paints as {trained.style} does, and the row's style has to be a collection with some of "
            "these: style: {collection: FOLDER OR GLOB}"
        )
    others = [name for name, found in digests.items() if trained.style_sha256 and found != {trained.style_sha256}]
    if not others:
        return ""
    return (
        f"{file.name} is tuned to another style, {trained.style}; leave model out for the network that paints in any, "
        f"or tune one to this: stylebatch train {others[0]} …"
    )


def far_from_training(asked: Iterable[Settings], locate: Callable[[str], Place]) -> list[str]:
    """A sentence for each tuned network and size that it was not trained for, with the number of rows.

    Args:
        asked: the settings of good rows. Those of ``size: original`` are known once their pictures are decoded.
    """
    uses = Counter(
        (settings.model, settings.size)
        for settings in asked
        if settings.paints and settings.model != "none" and settings.size != "original"
    )
    if not uses:
        return []
    from stylebatch.tasks.networks.models import read_trained

    told_of = {model: read_trained(locate(model)) for model, _ in uses}
    return [
        f"{'1 row paints' if rows == 1 else f'{rows} rows paint'} with {locate(model).name} at size={size}, and it was "
        f"tuned for {trained.smallest} to {trained.largest} px: its strokes will look too "
        f"{'fine' if size > trained.largest else 'coarse'}; tune one with --set size={size}"
        for (model, size), rows in uses.items()
        if (trained := told_of[model]).is_far(size)
    ]
