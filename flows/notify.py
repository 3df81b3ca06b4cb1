"""A message to whoever waits for a run, by Apprise: its URLs are services, and have secrets in them.

So no URL is ever shown, logged or kept: not in errors, and not among a flow's parameters, which Prefect keeps.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from apprise import Apprise

from stylebatch.tasks.errors import BadRequest

VARIABLE = "STYLEBATCH_NOTIFY"  # names the URLs in the environment, where other users of the machine do not see them


def check_address(urls: str) -> None:
    """Refuse what Apprise would not know how to reach.

    Args:
        urls: one or several, with commas or blanks between them.

    Raises:
        BadRequest: one of them is of no known service, or lacks a part.
    """
    with _silence():
        if Apprise().add(urls):
            return
    raise BadRequest(
        "--notify: this is no URL of a service that Apprise knows, or a part of it is missing; they are described "
        "at https://github.com/caronc/apprise/wiki"
    )


def notify(urls: str, title: str, body: str) -> bool:
    """Send a message.

    Returns:
        Whether it got through to all services.
    """
    with _silence():
        sender = Apprise()
        try:
            return sender.add(urls) and bool(sender.notify(title=title, body=body))
        except Exception:  # of a service's library, and perhaps with the URL in its text
            return False


@contextmanager
def _silence() -> Iterator[None]:
    """Within this nothing is logged: Apprise, and what it sends with, would write addresses and tokens down."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
