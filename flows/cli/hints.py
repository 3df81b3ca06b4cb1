"""What newcomers type, and what they mean by it: told before the command's own parser complains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".heic", ".jxl")
OF_MANIFESTS = ("run", "check", "serve")


class HintingGroup(TyperGroup):
    """A group of commands that says what to write instead of a setting as an option, or of two pictures."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """See `click.Group`.

        Raises:
            typer.BadParameter: what to write instead.
        """
        name, command, rest = super().resolve_command(ctx, args)
        if not rest:
            return name, command, rest
        from stylebatch.tasks.request.settings import Settings

        options = {option for parameter in command.params for option in parameter.opts} if command else set()
        for place, argument in enumerate(rest):
            option, _, value = argument.partition("=")
            setting = option.removeprefix("--").replace("-", "_")
            if option.startswith("--") and option not in options and setting in Settings.model_fields:
                value = value or (rest[place + 1] if place + 1 < len(rest) else "VALUE")
                raise typer.BadParameter(f"{option} is a setting: write --set {setting}={value}", ctx=ctx)
        if name in OF_MANIFESTS:
            values = {rest[place + 1] for place, argument in enumerate(rest[:-1]) if argument.startswith("-")}
            pictures = [one for one in rest if Path(one).suffix.lower() in PICTURES and one not in values]
            if pictures and {"--contents", "--styles"} & set(rest):  # the shell has taken a pattern apart
                raise typer.BadParameter(
                    f"{pictures[0]} has no option before it: put a pattern in quotes, as in --contents 'photos/*.jpg'",
                    ctx=ctx,
                )
            if pictures:
                content, style = (*pictures, "style.jpg")[:2]
                raise typer.BadParameter(
                    f"{pictures[0]} is a picture, and {name} takes a manifest; without one, write: stylebatch run "
                    f"--contents {content} --styles {style}",
                    ctx=ctx,
                )
        return name, command, rest
