"""Training a transformation network: the objective of a pair, over many pictures and one style.

Johnson, Alahi, Fei-Fei (2016) minimize the mean of the objective over a training set. `criterion` departs from that in
two ways. It is the objective's logarithm, since the loss falls a hundredfold during a training, differs tenfold from an
even sky to a crowd, and each picture is to count alike all the while; and the content counts more than when a picture
is optimized, since an optimizer begins at the content and never goes far, while the best that a network can do for the
sum alone is to paint the style's texture, the same whatever it is shown.

It does learn to paint by that texture, on grey ground, before it paints on the content. From there it is at once where
it would otherwise come by ten times as many steps.

The networks' matrices are trained by Muon (Jordan et al. 2024; torch's own), what is left by Adam. Everything that
happens at a step follows from the seed and the step's number, so that a training that was stopped goes on as if it had
not been.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from stylebatch.tasks.nst.losses import Losses
from stylebatch.tasks.nst.transform import TransformNetwork

# Found with 300 steps at 256 px; tests/benchmarks/README.md has what else was tried.
MATRIX_RATE, OTHER_RATE = 0.02, 3e-3
WARM_UP = 20  # steps over which the rates rise from zero, before they fall along a cosine
EMPHASIS = 10.0  # times the content loss counts in a training
# Shares of a training: until the first the network paints on grey, and from the second on the content.
ON_GREY, ON_CONTENT = 0.3, 0.5
# Longer side of what crops are cut from, relative to the size that is trained for: strokes keep their size.
SPACIOUS = 4 / 3


def criterion(losses: Losses) -> Tensor:
    """``log(e · content + style + tv)`` with e = `EMPHASIS`: what a training minimizes, a scalar."""
    return (losses.total + (EMPHASIS - 1) * losses.content).log()


class Trainer:
    """The network with its optimizers, in the middle of a training of ``steps`` steps.

    Attributes:
        step: how many have been taken.
    """

    def __init__(self, network: TransformNetwork, steps: int) -> None:
        self.network = network
        self.step = 0
        self._steps = steps
        last = network.painter.weight  # which is a picture's, and starts at zero
        matrices = [one for one in network.parameters() if one.ndim == 2 and one is not last]
        others = [one for one in network.parameters() if one.ndim < 2 or one is last]
        self._optimizers = [
            torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.0, momentum=0.95),
            torch.optim.Adam(others, lr=OTHER_RATE, betas=(0.9, 0.99)),
        ]

    def take(self, picture: Tensor, objective: Callable[[Tensor], Losses], dtype: torch.dtype) -> float:
        """One step.

        Args:
            picture: the content (1, 3, H, W), RGB in [0, 1].
            objective: of this content.
            dtype: of the network's features.

        Returns:
            The logarithm of the objective, as it was before the step.
        """
        self.network.presence = self._presence()
        losses = objective(self.network(picture, dtype))
        criterion(losses).backward()  # type: ignore[no-untyped-call]
        for optimizer, rate in zip(self._optimizers, (MATRIX_RATE, OTHER_RATE), strict=True):
            optimizer.param_groups[0]["lr"] = rate * self._pace()
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        return losses.total.log().item()

    def _presence(self) -> float:
        """How much of the content the network paints on at this step."""
        done = self.step / self._steps
        return min(1.0, max(0.0, (done - ON_GREY) / (ON_CONTENT - ON_GREY)))

    def _pace(self) -> float:
        """The share of the rates at this step."""
        rising = min(1.0, (self.step + 1) / WARM_UP)
        return rising * 0.5 * (1 + math.cos(math.pi * self.step / self._steps))

    def state(self) -> dict[str, Tensor]:
        """Everything that a later `resume` needs, by name, as it is now."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        for number, optimizer in enumerate(self._optimizers):
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{number}.{index}.{name}": value for name, value in values.items()}
        return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}

    def resume(self, state: Mapping[str, Tensor], step: int) -> None:
        """Go on from what `state` gave after ``step`` steps of the same training.

        Raises:
            RuntimeError, KeyError: it is another network's.
        """
        held = {name.removeprefix("network."): state[name] for name in state if name.startswith("network.")}
        self.network.load_state_dict(held)
        for number, optimizer in enumerate(self._optimizers):
            given = optimizer.state_dict()
            for name, tensor in state.items():
                kind, _, rest = name.partition(".")
                if kind == "optimizer" and rest.startswith(f"{number}."):
                    _, index, key = rest.split(".")
                    given["state"].setdefault(int(index), {})[key] = tensor
            optimizer.load_state_dict(given)
        self.step = step


def sample(pictures: Sequence[Tensor], size: int, seed: int, step: int) -> Tensor:
    """What one step is to look at: one of the pictures, whole or a part of it, perhaps mirrored, in other light.

    Args:
        pictures: (3, H, W), 8 bits, with a longer side of ``SPACIOUS * size``.
        size: longer side of what is returned.

    Returns:
        (1, 3, h, w), float32, in [0, 1]: always the same for the same seed and step.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)

    def draw(below: int) -> int:
        return int(torch.randint(below, (), generator=generator))

    picture = _relit(pictures[draw(len(pictures))][None].float() / 255, generator)  # (1, 3, H, W)
    if draw(2):
        picture = picture.flip(-1)
    height, width = picture.shape[-2:]
    if draw(2):
        scale = size / max(height, width)
        sides = (max(1, round(height * scale)), max(1, round(width * scale)))
        return F.interpolate(picture, sides, mode="bilinear", antialias=True).clamp(0, 1)
    tall, wide = min(size, height), min(size, width)
    top, left = draw(height - tall + 1), draw(width - wide + 1)
    return picture[..., top : top + tall, left : left + wide].contiguous()


def _relit(picture: Tensor, generator: torch.Generator) -> Tensor:
    """The picture with another contrast, brightness and tint, since there are fewer contents than there is light."""
    contrast, brightness = torch.randn(2, generator=generator).tolist()
    tint, cast = torch.randn((2, 1, 3, 1, 1), generator=generator)  # (1, 3, 1, 1) each
    gain = (0.2 * tint + 0.2 * contrast).exp()
    relit: Tensor = picture * gain + 0.1 * brightness + 0.03 * cast
    return relit.clamp(0, 1)
