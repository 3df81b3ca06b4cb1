"""The record: what is known of one finished pair. The cache keeps it as JSON, and the report is made of it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from tasks.settings import Settings


class Record(BaseModel):
    """One finished pair, by its key.

    The losses are those of the picture that was written: its 8-bit pixels, read back and evaluated in float32, each
    with its weight. ``optimizer_loss`` is the best value that the optimizer saw, in its own precision. The digests of
    several styles, and of their masks where they have some, are joined with ``+``.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    total_loss: float
    content_loss: float
    style_loss: float
    tv_loss: float
    style_loss_by_layer: dict[str, float]
    optimizer_loss: float
    steps: int
    seconds: float
    device: str
    width: int
    height: int
    attempts: int
    output_sha256: str
    content_sha256: str
    style_sha256: str
    masks_sha256: str | None
    weights_sha256: str
    settings: Settings
    finished_at: datetime
