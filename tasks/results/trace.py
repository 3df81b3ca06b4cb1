"""The trace of a pair: its loss curve, step by step."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

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
        layers = {f"style_loss_{layer}": loss.item() for layer, loss in losses.style.items()}
        row = {
            "step": len(self.steps) + 1,
            "seconds": time.perf_counter() - self.started,
            "total_loss": losses.total.item(),
            "content_loss": losses.content.item(),
            "style_loss": sum(layers.values()),
            "tv_loss": losses.tv.item(),
        }
        self.steps.append(row | layers)

    def write(self, path: Place) -> None:
        """Write it as Parquet, whole or not at all."""
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(self.steps), buffer)
        write_atomically(path, buffer.getvalue())
