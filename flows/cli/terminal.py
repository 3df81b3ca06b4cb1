"""Where the command writes to, and errors as people are told them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from stylebatch.flows.text import escape
from stylebatch.tasks.errors import BadInput, BadRequest, is_out_of_space, told
from stylebatch.tasks.storage.places import is_url, without_secrets

out_console = Console()
error_console = Console(stderr=True)


def say_error(text: str) -> None:
    """Show what is wrong, in a sentence."""
    error_console.print(f"[red]error:[/] {escape(without_secrets(text))}", highlight=False, soft_wrap=True)


@contextmanager
def clear_errors(verbose: bool) -> Iterator[None]:
    """Show an error as a sentence and exit with 2; a traceback is for -v."""
    try:
        yield
    except typer.Exit:
        raise
    except (BadInput, BadRequest) as error:
        say_error(str(error))
        raise typer.Exit(2) from None
    except Exception as error:
        if verbose:
            raise
        if is_out_of_space(error):
            say_error(f"{error.strerror}; what is done is kept: make room, and run the same command again")
            raise typer.Exit(2) from None
        if isinstance(error, OSError) and is_url(str(error.filename)):
            say_error(f"{told(error)}; what is done is kept: run the same command again")
            raise typer.Exit(2) from None
        text = without_secrets(f"{type(error).__name__}: {error}".splitlines()[0])
        error_console.print(f"[red]unexpected error:[/] {escape(text)}; run again with -v to see where", soft_wrap=True)
        raise typer.Exit(2) from None
