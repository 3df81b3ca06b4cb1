"""The record: what is known of one finished pair. The cache keeps it as JSON, and the report is made of it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from stylebatch.tasks.pictures.formats import FormatName
from stylebatch.tasks.request.settings import Settings

# Below this structure a person hardly recognizes the photograph; the page of the benchmarks says how it was found.
RECOGNIZED = 0.5


class Record(BaseModel):
    """One finished pair, by its key.

    The losses are those of the picture that was written: its 8-bit pixels, read back and evaluated in float32, each
    with its weight. ``optimizer_loss`` is the best value that the optimizer saw, in its own precision. The digests of
    several styles, and of their masks where they have some, are joined with ``+``.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    total_loss: float | None  # losses: nothing of a painted picture that was left out by the setting `judge`
    content_loss: float | None
    style_loss: float | None
    tv_loss: float | None
    style_loss_by_layer: dict[str, float]
    structure: float | None = None  # nothing of a picture that is too narrow, and in records of earlier versions
    style_distance: float | None = None
    optimizer_loss: float | None  # nothing where a network painted alone
    steps: int
    seconds: float
    machine: str | None = None  # records of earlier versions have none
    device: str
    width: int
    height: int
    attempts: int
    output_sha256: str
    content_sha256: str
    style_sha256: str
    masks_sha256: str | None
    weights_sha256: str
    model_sha256: str | None = None  # of the trained network, if one painted
    far_from_training: bool | None = None  # whether that is tuned to a style, at other sizes than this picture's
    settings: Settings
    finished_at: datetime

    @property
    def format(self) -> FormatName:
        """Of the picture's file."""
        return self.settings.format

    @property
    def content_lost(self) -> bool | None:
        """Whether a person hardly recognizes the content any more; unknown where its structure is."""
        return None if self.structure is None else self.structure < RECOGNIZED


@lru_cache(maxsize=1024)
def parse_settings(text: str) -> Settings:
    """Settings from their JSON; equal texts share one object."""
    return Settings.model_validate_json(text)


def read_record(text: str) -> Record:
    """A record from its JSON. Those with the same settings share one object, and equal digests one string.

    Raises:
        ValueError, KeyError, TypeError: it is no record, or one of another version.
    """
    fields: dict[str, Any] = json.loads(text)
    fields["settings"] = parse_settings(json.dumps(fields["settings"]))
    for name in ("content_sha256", "style_sha256", "weights_sha256"):
        fields[name] = sys.intern(fields[name])
    record = Record.model_validate(fields)
    # Pydantic makes a set of the fields' names for each: 2 KB that are the same for all.
    object.__setattr__(record, "__pydantic_fields_set__", _ALL_FIELDS)
    return record


_ALL_FIELDS = set(Record.model_fields)
