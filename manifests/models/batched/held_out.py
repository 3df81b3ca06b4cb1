"""The pictures that a training does not learn from, and how its network does on them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.nst.criterion import Criterion
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.training.held_out import HeldOut
from stylebatch.tasks.training.photographs import Photographs, held_out


def set_apart(files: Sequence[Place]) -> tuple[Sequence[Place], Sequence[Place]]:
    """Some of the different pictures to judge by, and the others to learn from.

    They are in the order of their digests, which has nothing to do with what they show.

    Raises:
        BadInput: there is one only.
    """
    different = [file for _, file in sorted({sha256_of(file): file for file in files}.items())]
    if len(different) < 2:
        raise BadInput(f"{files[0].name} is all there is: give two different pictures at least, one to judge by")
    count = held_out(different)
    return different[:count], different[count:]


def judge_of(
    contents: Sequence[Place],
    styles: Sequence[Place],
    size: int,
    criterion: Criterion,
    dtype: torch.dtype,
    device: str,
) -> HeldOut:
    """What judges a network by these files, as `stylebatch train` does.

    Args:
        size: longer side in pixels of the pictures, at most.
        dtype: of the network's features.

    Raises:
        BadInput: a picture cannot be read.
    """
    to_judge = Photographs([], [], [load_picture(file) for file in contents], [load_picture(file) for file in styles])
    return HeldOut(to_judge, size, 1.0, criterion, dtype, device)
