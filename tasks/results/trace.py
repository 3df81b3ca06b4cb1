"""The trace of a pair: its loss curve, step by step."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from stylebatch.tasks.nst.losses import Losses
from stylebatch.tasks.storage.files import write_atomically
from stylebatch.tasks.storage.places import Place


@dataclass
class Trace:
    """The losses at each step, as the optimizer saw them, each with its weight, and the seconds since the first."""

    steps: list[dict[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, losses: Losses) -> None:
        """Take in the losses of one more step."""
        # All at once: a GPU is waited for each time that something is read from it.
        terms = torch.stack([losses.total, losses.content, losses.tv, *losses.style.values()])
        total, content, tv, *style = terms.tolist()
        layers = {f"style_loss_{layer}": loss for layer, loss in zip(losses.style, style, strict=True)}
        row = {
            "step": len(self.steps) + 1,
            "seconds": time.perf_counter() - self.started,
            "total_loss": total,
            "content_loss": content,
            "style_loss": sum(layers.values()),
            "tv_loss": tv,
        }
        self.steps.append(row | layers)

    def write(self, path: Place) -> None:
        """Write it as Parquet, whole or not at all."""
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(self.steps), buffer)
        write_atomically(path, buffer.getvalue())
