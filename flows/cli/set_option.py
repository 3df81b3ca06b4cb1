"""``--set``, apart from the other options: it names the settings, whose model takes its time to import."""

from __future__ import annotations

from typing import Annotated

import typer

from stylebatch.tasks.request.settings import Settings

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"A setting for every row; wins over the manifest. One of: {', '.join(Settings.model_fields)}.",
    ),
]
