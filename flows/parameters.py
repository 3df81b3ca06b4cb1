"""What a flow takes for a place: a form shows a text, and what is in it becomes a path or URL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema
from upath import UPath

from stylebatch.tasks.storage.places import to_place

PlaceParameter = Annotated[Path | UPath, PlainValidator(to_place), WithJsonSchema({"type": "string", "format": "path"})]
