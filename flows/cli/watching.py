"""What a person sees while a command works, and when it is stopped."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from stylebatch.flows.cli.terminal import error_console
from stylebatch.flows.session import Session
from stylebatch.flows.text import escape
from stylebatch.tasks.storage.places import Place


def watching(
    session: Session, log_json: bool, silent: bool, folder: Place, show: bool = False
) -> AbstractContextManager[None]:
    """Show how far a run is: by a bar, by a line a minute where there is no terminal, or by JSON on standard error.

    Args:
        folder: the run's, for its newest picture.
        show: that picture in the terminal, too.
    """
    from stylebatch.tasks.progress import watcher

    if log_json:
        from stylebatch.flows.json_log import JsonLog

        return session.watching(watcher, JsonLog(sys.stderr))
    if silent:
        return nullcontext()
    if error_console.is_terminal:  # at once, since what is needed takes a second to import
        error_console.print(f"into {escape(str(folder))}", highlight=False, soft_wrap=True)
    from stylebatch.flows.latest import NAME, Latest, shower
    from stylebatch.flows.screen import Bar, Lines

    shown = shower(error_console) if show else None
    if show and shown is None:
        error_console.print(f"no pictures here: see {escape(str(folder / NAME))}.png", highlight=False, soft_wrap=True)
    latest = Latest(folder, shown)
    if not error_console.is_terminal:
        return session.watching(watcher, Lines(error_console, latest))
    bar = Bar(error_console, latest)
    return session.watching(watcher, bar, bar.progress)


def watching_gallery(session: Session) -> AbstractContextManager[None]:
    """Show how far a gallery is, by a bar."""
    from stylebatch.flows.gallery import progress
    from stylebatch.flows.screen import PartsBar

    bar = PartsBar(error_console, "gallery")
    return session.watching(progress, bar, bar.progress)


def say_how_to_go_on(folder: Place) -> None:
    """Tell where what is done is kept, and that it is."""
    there = not isinstance(folder, Path) or folder.exists()  # no time to ask a store
    kept = f"What is done is kept in {escape(str(folder))}; the" if there else "The"
    error_console.print(f"\nStopped. {kept} same command goes on where this one stopped.", soft_wrap=True)
