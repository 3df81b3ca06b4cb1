"""Where Prefect keeps the records of a run on this machine: as in its own local folder, but every file whole."""

from __future__ import annotations

from pathlib import Path

from prefect.filesystems import LocalFileSystem

from stylebatch.tasks.storage.files import write_atomically


class WholeFiles(LocalFileSystem):
    """A folder. Prefect's own writer empties a file before it fills it, and a full disk leaves it empty."""

    _block_type_name = "Stylebatch's files"  # without a name of its own it would take the place of Prefect's
    _block_type_slug = "stylebatch-files"

    async def awrite_path(self, path: str, content: bytes) -> str:
        """`write_path`, for those who call it so."""
        return self.write_path(path, content)

    def write_path(self, path: str, content: bytes, _sync: bool = True) -> str:  # type: ignore[override]
        """Write a file whole or not at all, and return its path."""
        file = Path(self._resolve_path(path))
        write_atomically(file, content)
        return str(file)
