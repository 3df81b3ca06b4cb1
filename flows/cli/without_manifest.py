"""Pictures that are named on the command line, as a manifest that says the same."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from slugify import slugify

from stylebatch.flows.cli.options import AsPlace, as_place
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.collections import members, named, pattern_of
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.yaml_text import write_yaml
from stylebatch.tasks.runs.target import refuse_others_folder
from stylebatch.tasks.storage.files import exists, read_bytes, write_atomically
from stylebatch.tasks.storage.places import Place, is_url, refuse_secrets

ContentsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Instead of a manifest: photographs by name or 'pattern'. May be repeated."),
]
StylesOption = Annotated[
    list[str] | None, typer.Option(metavar="PATTERN", help="And the styles that each of them is to have.")
]
SaveOption = Annotated[
    AsPlace | None,
    typer.Option(parser=as_place, metavar="FILE", help="Write the YAML manifest that says the same, and keep to it."),
]


def as_manifest(
    manifest: Place | None,
    contents: Sequence[str],
    styles: Sequence[str],
    settings: Mapping[str, str],
    save: Place | None,
    out: Place | None,
) -> tuple[Place, Place, Mapping[str, str]]:
    """The manifest that was given, or is written here: where it is to be saved, or else into the run's folder.

    Args:
        contents, styles: names and globs, relative to the working folder; a style may be a collection.
        settings: for all rows.
        out: the run's folder, if it was given.

    Returns:
        The manifest, the run's folder, and the settings that are not in the manifest.

    Raises:
        BadInput: a URL has a secret in it, or a collection is none.
        BadRequest: both a manifest and pictures were given, or neither; nothing matches a glob; the file is there
            already and says something else, or the folder is another's.
    """
    if manifest:
        if contents or styles or save:
            raise BadRequest("give either a manifest or --contents and --styles, which --save makes one of")
        return manifest, out or Path("outputs") / manifest.stem, settings
    if not contents or not styles:
        raise BadRequest("give a manifest, or both --contents 'photographs/*.jpg' and --styles 'paintings/*.jpg'")
    for pattern in (*contents, *styles):
        refuse_secrets(pattern_of(pattern) or pattern)
    list(expand(Path(), list(contents), "--contents"))
    for pattern in styles:
        _ = members(Path(), pattern) if pattern_of(pattern) else list(expand(Path(), pattern, "--styles"))
    name = save.stem if save else f"{_name(contents[0])}-{_name(pattern_of(styles[0]) or styles[0])}"
    folder = out or Path("outputs") / name
    refuse_others_folder(folder)
    file = save or folder / f"{folder.name}.yaml"
    document = {"defaults": dict(settings)} if settings else {}
    from_there = {
        key: [_from(file, pattern, save is not None) for pattern in patterns]
        for key, patterns in (("contents", contents), ("styles", styles))
    }
    text = write_yaml(document | {key: one[0] if len(one) == 1 else one for key, one in from_there.items()})
    if save:
        if exists(save) and read_bytes(save) != text.encode():
            raise BadRequest(f"--save {save}: it is there already, and says something else; give another name")
    else:
        from stylebatch.tasks.results.remote_store import open_store

        open_store(folder).create()  # which makes it a run's, whatever becomes of this one
    write_atomically(file, text.encode())
    return file, folder, {}


def _name(pattern: str) -> str:
    """What a run is called by its pictures: ``photos`` for ``photos/*.jpg``."""
    plain = [part for part in re.split(r"[/\\]", pattern) if part and not re.search(r"[*?\[]", part)]
    return slugify(Path(plain[-1]).stem if plain else Path.cwd().name) or "pictures"


def _from(file: Place, pattern: str, relative: bool) -> str:
    """The pattern as the manifest has to write it, relative to its folder where people keep it beside the pictures."""
    if collected := pattern_of(pattern):
        return named(_from(file, collected, relative))
    if is_url(pattern) or Path(pattern).is_absolute():
        return pattern
    if relative and isinstance(file, Path):
        return os.path.relpath(pattern, file.parent)
    return str(Path(pattern).absolute())
