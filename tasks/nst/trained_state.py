"""What a training in its middle consists of, as tensors by name: networks, and the moments of their optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


def state_of(networks: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Everything that a later `resume` needs, as it is now, on the processor."""
    tensors = {
        f"{kind}.{name}": tensor for kind, network in networks.items() for name, tensor in network.state_dict().items()
    }
    for number, optimizer in enumerate(optimizers):
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{index}.{name}": value for name, value in values.items()}
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}


def resume(
    state: Mapping[str, Tensor], networks: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Put back what `state_of` gave of the same networks and optimizers.

    Raises:
        RuntimeError, KeyError: it is other networks'.
    """
    for kind, network in networks.items():
        network.load_state_dict(within(state, kind))
    for number, optimizer in enumerate(optimizers):
        given = optimizer.state_dict()
        for name, tensor in within(state, f"optimizer.{number}").items():
            index, _, key = name.partition(".")
            # Counts stay with the processor, which Adam would else ask a GPU for at every step.
            given["state"].setdefault(int(index), {})[key] = tensor.cpu() if key == "step" else tensor
        optimizer.load_state_dict(given)


def within(tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Those whose names begin with ``kind`` and a dot, without both."""
    start = f"{kind}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, longest: float) -> None:
    """Move the average of a network's weights on by one step (Polyak, Juditsky 1992).

    Args:
        longest: memory, as the share that stays; less in the beginning, where it would remember what was worse.
    """
    memory = min(longest, (step + 1) / (step + 10))
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - memory)
