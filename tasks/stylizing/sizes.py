"""The sizes at which a picture is optimized, and those at which its objective looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from stylebatch.tasks.nst.layers import NETWORKS
from stylebatch.tasks.nst.scales import looked_at, resolutions, scales_of
from stylebatch.tasks.pictures.resize import resize, scaled_size
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.stylizing.objective import to_tensor


def ladder(settings: Settings, width: int, height: int) -> list[tuple[int, int]]:
    """The longer side and the steps of each resolution, from coarse to fine, for a content of so many pixels.

    There are no more resolutions than the network's layers can be found at.
    """
    longer = settings.longer_side((width, height))
    scales = scales_of(settings.objective, longer, settings.scales)
    shortest = NETWORKS[settings.network].minimum_side([*settings.content_layers, *settings.style_layers])
    fitting = sum(min(scaled_size(width, height, longer / 2**halvings)) >= shortest for halvings in range(scales))
    return resolutions(settings.objective, longer, fitting, settings.steps)


def full_steps(settings: Settings, width: int, height: int) -> float:
    """How many steps that look at the full size alone take as long as all of a content of so many pixels."""
    rungs = ladder(settings, width, height)
    return sum(steps * _cost(settings, rungs, number) for number, (_, steps) in enumerate(rungs))


def refining_steps(settings: Settings, width: int, height: int) -> float:
    """As `full_steps`, of those that refine a painted picture."""
    rungs = ladder(settings, width, height)
    return settings.refine * _cost(settings, rungs, len(rungs) - 1)


def _cost(settings: Settings, rungs: Sequence[tuple[int, int]], number: int) -> float:
    """Of a step at one of the resolutions, as a share of one that looks at the full size alone."""
    longest, _ = rungs[-1]
    return float(sum((rungs[looked][0] / longest) ** 2 for looked in looked_at(settings.objective, number)))


def coarser_contents(settings: Settings, picture: Image.Image, device: str) -> list[Tensor]:
    """The content in each smaller size that the objective looks at, from coarse to fine: (1, 3, H, W) in [0, 1].

    Args:
        picture: the content in its own size.
    """
    rungs = ladder(settings, *picture.size)
    last = len(rungs) - 1
    coarser = [number for number in looked_at(settings.objective, last) if number < last]
    return [to_tensor(resize(picture, rungs[number][0]), device) for number in coarser]
