"""The `stylebatch` command: a module a command, and what they share in modules of its own.

Heavy modules (torch, Prefect, pandas) are imported by the commands that need them, so that --help is quick.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

import typer

from stylebatch.flows.cli import check, gallery, reprocess, run, serve, status, train
from stylebatch.flows.cli.streams import steady_streams


class _Command(typer.Typer):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        steady_streams()
        return super().__call__(*args, **kwargs)


app = _Command(
    name="stylebatch",
    help="Neural style transfer in batches: a manifest of content and style pictures in, stylized pictures, "
    "result grids and a report of the losses out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def main(show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show_version:
        print(f"stylebatch {version('stylebatch')}")
        raise typer.Exit


app.command(epilog=run.EXAMPLE)(run.run)
app.command(epilog=reprocess.EXAMPLE)(reprocess.reprocess)
app.command(epilog=train.EXAMPLE)(train.train)
app.command(epilog=check.EXAMPLE)(check.check)
app.command(epilog=status.EXAMPLE)(status.status)
app.command(epilog=serve.EXAMPLE)(serve.serve)
app.command(epilog=gallery.EXAMPLE)(gallery.gallery)
