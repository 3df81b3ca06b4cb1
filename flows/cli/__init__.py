"""The `stylebatch` command: a module a command, and what they share in modules of its own.

A command's module is imported when that command is called, or all are listed, and what is heavy (torch, Prefect,
pandas) by what needs it within the command.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from stylebatch.flows.cli.hints import HintingGroup
from stylebatch.flows.cli.streams import steady_streams

COMMANDS = ("run", "reprocess", "train", "check", "pairs", "status", "report", "serve", "gallery", "export")
LOOK: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": "rich"}


class Commands(HintingGroup):
    """The commands by their names; each is the function of its module's name, with the module's ``EXAMPLE``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        names: Any = dict.fromkeys(COMMANDS)  # for the help's list, and for what a typo may have meant
        self.commands = names

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, imported now; none where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        single = typer.Typer(**LOOK)
        single.command(cmd_name, epilog=module.EXAMPLE)(getattr(module, cmd_name))
        return get_command(single)


class _Command(typer.Typer):
    """The command itself, by whatever way it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        steady_streams()
        return super().__call__(*args, **kwargs)


app = _Command(
    name="stylebatch",
    cls=Commands,
    help="Neural style transfer in batches: a manifest of content and style pictures in, stylized pictures, "
    "result grids and a report of the losses out.",
    no_args_is_help=True,
    **LOOK,
)


@app.callback(invoke_without_command=True)
def main(show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show_version:
        from importlib.metadata import version

        print(f"stylebatch {version('stylebatch')}")
        raise typer.Exit
