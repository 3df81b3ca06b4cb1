"""Where a run's folder has its results, be it one of this machine or in an object store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from stylebatch.tasks.pictures.formats import ENDINGS, FormatName

if TYPE_CHECKING:
    from upath import UPath

SEGMENT, TABLE = ".jsonl", ".parquet"  # what the names of files with the records of many keys end in
IMAGES = "images"  # the pictures under their ids, for people
PlaceT = TypeVar("PlaceT", Path, "UPath")


@dataclass(frozen=True)
class Folders(Generic[PlaceT]):
    """The places of what belongs to a key, in ``folder``; whether it is there is for others to say."""

    folder: PlaceT

    @cached_property
    def store(self) -> PlaceT:
        """What is kept by keys."""
        return self.folder / ".store"

    @cached_property
    def images(self) -> PlaceT:
        """The same pictures under the ids of their rows."""
        return self.folder / IMAGES

    @cached_property
    def records(self) -> PlaceT:
        """Where Prefect keeps its results."""
        return self.store / "records"

    def segment(self, name: str) -> PlaceT:
        """Where the records of the chunk ``name`` are, or will be."""
        return self.records / f"{name}{SEGMENT}"

    def table(self, name: str) -> PlaceT:
        """Where the records of the table ``name`` are, or will be."""
        return self.records / f"{name}{TABLE}"

    @cached_property
    def pictures(self) -> PlaceT:
        """Where the pictures are."""
        return self.store / "pictures"

    @cached_property
    def traces(self) -> PlaceT:
        """Where the loss curves are."""
        return self.store / "traces"

    def picture(self, key: str, file_format: FormatName) -> PlaceT:
        """Where the picture of ``key`` is, or will be."""
        return self.pictures / picture_name(key, file_format)

    def trace(self, key: str) -> PlaceT:
        """Where the loss curve of ``key`` is, if it was traced."""
        return self.traces / f"{key}.parquet"

    def network(self, key: str) -> PlaceT:
        """Where the network that was trained for this run by itself is, or will be."""
        return self.store / "networks" / f"{key}.safetensors"


def picture_name(key: str, file_format: FormatName) -> str:
    """The name of the picture of ``key`` among the pictures."""
    return f"{key}{ENDINGS[file_format]}"
