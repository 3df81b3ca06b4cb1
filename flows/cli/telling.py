"""A notification when a run is over, or has come to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stylebatch.flows.cli.terminal import error_console
from stylebatch.tasks.storage.places import Place, without_secrets

if TYPE_CHECKING:
    from stylebatch.tasks.runs.report import Outcomes


def tell(urls: str, outcomes: Outcomes, rows: int, folder: Place) -> None:
    """Send what a run over so many rows has come to; nothing where there are no ``urls``."""
    if urls:
        from stylebatch.flows.word import in_a_sentence, in_lines

        _send(urls, f"{folder.name}: {in_a_sentence(outcomes, rows)}", in_lines(outcomes, folder))


@contextmanager
def telling_of_errors(urls: str, folder: Place) -> Iterator[None]:
    """Send what ends a run within this; a signal, which somebody has sent, is told to nobody."""
    try:
        yield
    except Exception as error:
        if urls:
            _send(urls, f"{folder.name}: it could not go on", without_secrets(str(error)))
        raise


def _send(urls: str, title: str, body: str) -> None:
    from stylebatch.flows.notify import notify

    if not notify(urls, title, body):
        error_console.print("[yellow]warning[/] the notification did not get through", highlight=False)
