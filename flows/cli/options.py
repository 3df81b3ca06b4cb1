"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.storage.places import Place, to_place


def as_place(text: str) -> Place:
    """A path or a URL, as it is typed."""
    try:
        return to_place(text)
    except BadInput as error:  # Typer's own message would repeat the text, with what it may have that is secret
        raise typer.BadParameter(str(error)) from None


# Each is a path or a URL. Typer, which knows no unions, is told of paths alone, and `as_place` makes them.
if TYPE_CHECKING:
    AsPlace = Place
else:
    AsPlace = Path
ManifestArgument = Annotated[
    AsPlace,
    typer.Argument(
        parser=as_place, metavar="MANIFEST", help="CSV, JSON Lines, Parquet or YAML; a path, or a URL such as s3://…"
    ),
]
OptionalManifestArgument = Annotated[
    AsPlace | None,
    typer.Argument(
        parser=as_place,
        metavar="[MANIFEST]",
        help="CSV, JSON Lines, Parquet or YAML; a path, or a URL such as s3://…",
        show_default=False,
    ),
]
OutOption = Annotated[
    AsPlace | None,
    typer.Option(
        parser=as_place,
        metavar="DIR",
        help="Folder for the results, by its path or URL.",
        show_default="outputs/<manifest's stem>",
    ),
]
RunDirArgument = Annotated[
    AsPlace, typer.Argument(parser=as_place, metavar="RUN_DIR", help="The folder of a run, by its path or URL.")
]
AllowHttpOption = Annotated[
    bool, typer.Option("--allow-http", help="Let pictures be read over http(s), but never from a private address.")
]
MaxFailuresOption = Annotated[
    int | None, typer.Option(min=1, help="Stop when so many rows have failed: the run is evidently broken.")
]
FailFastOption = Annotated[bool, typer.Option("--fail-fast", help="The same as --max-failures 1.")]
GridsOption = Annotated[bool, typer.Option("--grids/--no-grids", help="Draw the result grids.")]
TraceOption = Annotated[
    bool, typer.Option("--trace", help="Keep the loss curve of each pair that is stylized, as traces.parquet.")
]
DevicesOption = Annotated[
    str, typer.Option(metavar="LIST", help="auto (every CUDA device, else the processor), cpu, 2×cpu, cuda:0,cuda:1 …")
]
RunnerOption = Annotated[
    Literal["threads", "dask", "ray"],
    typer.Option(help="What computes: threads, or a cluster's workers."),
]
AddressOption = Annotated[
    str, typer.Option(help="Of a cluster that goes on already.", show_default="one is started on this machine")
]
NotifyOption = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="STYLEBATCH_NOTIFY",
        help="Tell somebody when it is over, by one of Apprise's URLs: mailto://, slack://, tgram:// …",
        show_default=False,
    ),
]
LogJsonOption = Annotated[
    bool, typer.Option("--log-json", help="Write one line of JSON a row to standard error, instead of bar and summary.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log, and tracebacks.")]
