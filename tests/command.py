"""The command: in a process of its own, as a person starts it, or in this one where that tells as much for less."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from stylebatch.flows.cli import app

COMMAND = str(Path(sys.executable).parent / "stylebatch")


def start(*arguments: object, server: str = "", folder: Path | None = None) -> subprocess.Popen[str]:
    """As a user does, with a Prefect server of their own, or with none, and with Prefect's log as it is by default."""
    user = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_LOGGING")}
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        env=user | ({"PREFECT_API_URL": server} if server else {}),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a shell does, so that a signal can be sent to it and to what it has started
    )


def complaints(stderr: str) -> list[str]:
    """The lines on standard error but for those that tell each minute how far a run is."""
    progress = r"starting$|checking row [\d,]+ of |\d+/\d+ rows, \d+ failed, \d+/"
    return [line for line in stderr.splitlines() if not re.match(progress, line)]


def call(*arguments: object) -> Result:
    """In this process, which it takes over as it does its own: a test of it needs the fixture ``restored_process``."""
    return CliRunner().invoke(app, [*map(str, arguments)])
