"""The `stylebatch` command."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from upath import UPath

from stylebatch.flows.interrupt import Interrupt
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.flows.text import escape
from stylebatch.tasks.errors import BadInput, BadRequest, is_out_of_space, told
from stylebatch.tasks.request.settings import Settings, parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter, is_url, to_place, without_secrets

if TYPE_CHECKING:
    from stylebatch.tasks.runs.report import Outcomes

# Heavy modules (torch, Prefect, pandas) are imported by the commands that need them, so that --help is quick.

app = typer.Typer(
    name="stylebatch",
    help="Neural style transfer in batches: a manifest of content and style pictures in, stylized pictures, "
    "result grids and a report of the losses out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out_console = Console()
error_console = Console(stderr=True)


def _place(text: str) -> Place:
    try:
        return to_place(text)
    except BadInput as error:  # Typer's own message would repeat the text, with what it may have that is secret
        raise typer.BadParameter(str(error)) from None


# Each is a path or a URL. Typer knows no unions: what `_place` makes of them may be a `Path`, too.
ManifestArgument = Annotated[
    UPath,
    typer.Argument(
        parser=_place, metavar="MANIFEST", help="CSV, JSON Lines, Parquet or YAML; a path, or a URL such as s3://…"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"A setting for every row; wins over the manifest. One of: {', '.join(Settings.model_fields)}.",
    ),
]
OutOption = Annotated[
    UPath | None,
    typer.Option(
        parser=_place,
        metavar="DIR",
        help="Folder for the results, by its path or URL.",
        show_default="outputs/<manifest's stem>",
    ),
]
RunDirArgument = Annotated[
    UPath, typer.Argument(parser=_place, metavar="RUN_DIR", help="The folder of a run, by its path or URL.")
]
AllowHttpOption = Annotated[
    bool, typer.Option("--allow-http", help="Let pictures be read over http(s), but never from a private address.")
]
MaxFailuresOption = Annotated[
    int | None, typer.Option(min=1, help="Stop when so many rows have failed: the run is evidently broken.")
]
FailFastOption = Annotated[bool, typer.Option("--fail-fast", help="The same as --max-failures 1.")]
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
LogJsonOption = Annotated[
    bool, typer.Option("--log-json", help="Write one line of JSON a row to standard error, instead of bar and summary.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show Prefect's log, and tracebacks.")]


@contextmanager
def clear_errors(verbose: bool) -> Iterator[None]:
    """Show an error as a sentence and exit with 2; a traceback is for -v."""
    try:
        yield
    except typer.Exit:
        raise
    except (BadInput, BadRequest) as error:
        error_console.print(f"[red]error:[/] {escape(without_secrets(str(error)))}", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    except Exception as error:
        if verbose:
            raise
        if is_out_of_space(error):
            text = f"{error.strerror}; what is done is kept: make room, and run the same command again"
            error_console.print(f"[red]error:[/] {text}", soft_wrap=True)
            raise typer.Exit(2) from None
        if isinstance(error, OSError) and is_url(str(error.filename)):
            text = f"{escape(without_secrets(told(error)))}; what is done is kept: run the same command again"
            error_console.print(f"[red]error:[/] {text}", highlight=False, soft_wrap=True)
            raise typer.Exit(2) from None
        text = without_secrets(f"{type(error).__name__}: {error}".splitlines()[0])
        error_console.print(f"[red]unexpected error:[/] {escape(text)}; run again with -v to see where", soft_wrap=True)
        raise typer.Exit(2) from None


@app.callback(invoke_without_command=True)
def main(show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show_version:
        print(f"stylebatch {version('stylebatch')}")
        raise typer.Exit


@app.command(epilog="Example: [bold]stylebatch run manifests/demo.yaml --set size=512 --set steps=200[/]")
def run(
    manifest: ManifestArgument,
    out: OutOption = None,
    set_: SetOption = None,
    refresh: Annotated[bool, typer.Option(help="Stylize every pair again, also those that are done.")] = False,
    max_failures: MaxFailuresOption = None,
    fail_fast: FailFastOption = False,
    trace: TraceOption = False,
    devices: DevicesOption = "auto",
    runner: RunnerOption = "threads",
    address: AddressOption = "",
    allow_http: AllowHttpOption = False,
    with_gallery: Annotated[
        bool, typer.Option("--gallery", help="Write a gallery of the run when it is over; implies --trace.")
    ] = False,
    log_json: LogJsonOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Stylize every pair of a manifest. What is done already is not done again.

    Exits with 0 when all rows are done, 1 when some failed, 2 when nothing could be done.
    """
    configure(verbose)
    folder: Place = out or Path("outputs") / manifest.stem
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.request.manifest import read_manifest

        # A request that cannot be carried out fails here, before Prefect's server starts.
        rows = len(read_manifest(manifest, allow_http).rows)
        session = Session(lambda: _say_how_to_go_on(folder))
        with session.flows():
            from stylebatch.flows.stylize import stylize

            session.ready(runner, address)
            with _watching(session, log_json, quiet or as_json or verbose):
                limit = 1 if fail_fast else max_failures
                traced = trace or with_gallery
                source, target = as_parameter(manifest), as_parameter(folder)
                outcomes = stylize(
                    source, target, overrides, refresh, limit, traced, devices, runner, address, allow_http
                )
            if with_gallery:
                from stylebatch.flows.gallery import gallery

                with nullcontext() if quiet or as_json or log_json or verbose else _watching_gallery(session):
                    gallery([as_parameter(folder)], None, allow_http)
    _end(outcomes, rows, folder, started, log_json, quiet, as_json)


@app.command(
    epilog="Examples: [bold]stylebatch reprocess outputs/demo[/], "
    "[bold]stylebatch reprocess outputs/demo --where 'style_loss > 5000 and style == \"swirls\"' --set steps=300[/]"
)
def reprocess(
    run_dir: RunDirArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Only the rows that failed.")] = False,
    where: Annotated[
        str, typer.Option(metavar="EXPR", help="Only the rows for which this holds of the report's columns.")
    ] = "",
    set_: SetOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, and do nothing.")] = False,
    max_failures: MaxFailuresOption = None,
    fail_fast: FailFastOption = False,
    trace: TraceOption = False,
    devices: DevicesOption = "auto",
    runner: RunnerOption = "threads",
    address: AddressOption = "",
    allow_http: AllowHttpOption = False,
    log_json: LogJsonOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Carry out an earlier run again: what is missing, failed, or whose pictures, weights or settings have changed.

    --set gives new settings to the rows that are chosen, to all of them where nothing chooses. Results whose key did
    not change are not computed again. Exits as run does.
    """
    configure(verbose)
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        if dry_run:
            _print_plan(run_dir, failed, where, overrides, devices, allow_http, as_json)
            raise typer.Exit
        from stylebatch.tasks.again.earlier import read_earlier

        read_earlier(run_dir)  # fails before Prefect's server starts
        session = Session(lambda: _say_how_to_go_on(run_dir))
        with session.flows():
            from stylebatch.flows.reprocess import reprocess

            session.ready(runner, address)
            with _watching(session, log_json, quiet or as_json or verbose):
                limit = 1 if fail_fast else max_failures
                outcomes = reprocess(
                    as_parameter(run_dir),
                    failed,
                    where,
                    overrides,
                    limit,
                    trace,
                    devices,
                    runner,
                    address,
                    allow_http,
                )
        from stylebatch.tasks.runs.status import read_status

        rows = read_status(run_dir).rows
    _end(outcomes, rows, run_dir, started, log_json, quiet, as_json)


def _print_plan(
    run_dir: Place,
    failed: bool,
    where: str,
    overrides: dict[str, str],
    devices: str,
    allow_http: bool,
    as_json: bool,
) -> None:
    from stylebatch.flows.screen import print_plan
    from stylebatch.tasks.again.reprocess import make_plan
    from stylebatch.tasks.devices.slots import make_slots

    plan = make_plan(run_dir, failed, where, overrides, make_slots(devices)[0], allow_http)
    if as_json:
        counts = {"unchanged": plan.unchanged, "left_alone": plan.left_alone, "gone": plan.gone}
        print(json.dumps({"rows": len(plan.manifest.rows), "reasons": plan.reasons, **counts}))
    else:
        print_plan(out_console, plan)


def _end(
    outcomes: Outcomes, rows: int, folder: Place, started: float, log_json: bool, quiet: bool, as_json: bool
) -> NoReturn:
    """Print what became of a run, and exit with what that comes to."""
    from stylebatch.flows.screen import print_summary
    from stylebatch.tasks.runs.report import count

    left = rows - len(outcomes)
    counts: dict[str, int | str] = {str(name): number for name, number in count(outcomes).items()}
    counts |= {"left": left, "out": str(folder)}
    if log_json:
        from stylebatch.flows.json_log import JsonLog

        JsonLog(sys.stderr).ended(counts)
    if as_json:
        failures = [{"row": one.row, "id": one.id, "error": one.error} for one in outcomes if one.status == "failed"]
        print(json.dumps({**counts, "failures": failures}))
    elif not quiet and not log_json:
        print_summary(out_console, outcomes, left, folder, time.perf_counter() - started)
    gc.freeze()  # or the interpreter would spend a second on taking torch and Prefect apart
    raise typer.Exit(1 if left or any(outcome.status == "failed" for outcome in outcomes) else 0)


def _watching(session: Session, log_json: bool, silent: bool) -> AbstractContextManager[None]:
    from stylebatch.tasks.progress import watcher

    if log_json:
        from stylebatch.flows.json_log import JsonLog

        return session.watching(watcher, JsonLog(sys.stderr))
    if silent:
        return nullcontext()
    from stylebatch.flows.screen import Bar

    bar = Bar(error_console)
    return session.watching(watcher, bar, bar.progress)


def _watching_gallery(session: Session) -> AbstractContextManager[None]:
    from stylebatch.flows.gallery import progress
    from stylebatch.flows.screen import GalleryBar

    bar = GalleryBar(error_console)
    return session.watching(progress, bar, bar.progress)


def _say_how_to_go_on(folder: Place) -> None:
    """Tell where what is done is kept, and that it is."""
    there = not isinstance(folder, Path) or folder.exists()  # no time to ask a store
    kept = f"What is done is kept in {escape(str(folder))}; the" if there else "The"
    error_console.print(f"\nStopped. {kept} same command goes on where this one stopped.", soft_wrap=True)


@app.command(
    epilog="Example: [bold]stylebatch train styles/night.jpg --contents 'photographs/*.jpg' --out night.safetensors "
    "--set size=256[/]"
)
def train(
    style: Annotated[
        UPath, typer.Argument(parser=_place, metavar="STYLE", help="The style picture, by its path or URL.")
    ],
    contents: Annotated[
        list[str],
        typer.Option(
            metavar="GLOB", help="Content pictures: those to be stylized, or any photographs. May be repeated."
        ),
    ],
    out: Annotated[UPath, typer.Option(parser=_place, metavar="FILE", help="The network's file, NAME.safetensors.")],
    set_: SetOption = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training, at most.")] = 4000,
    start: Annotated[
        UPath | None,
        typer.Option(
            parser=_place, metavar="FILE", help="A network to start from, of whatever style.", show_default="none"
        ),
    ] = None,
    devices: DevicesOption = "auto",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train a network for one style, that stylizes any picture in one pass. A training that was stopped goes on.

    Some of the contents are held out, and the training ends when they no longer improve. Use the network with
    engine=feedforward and model=NAME.safetensors.
    """
    configure(verbose)
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.request.globs import expand
        from stylebatch.tasks.storage.files import exists

        # A request that cannot be carried out fails here, before Prefect's server starts.
        found = list(expand(Path(), contents, "--contents"))
        if not exists(style):
            raise BadRequest(f"there is no style picture {style}")
        if out.suffix != ".safetensors":
            raise BadRequest(f"--out {out}: a network's file ends in .safetensors")
        session = Session(lambda: _say_training_stopped(out))
        with session.flows():
            from stylebatch.flows.train import train

            session.ready()
            with _watching_training(session, quiet or as_json or verbose):
                begun = as_parameter(start) if start else None
                trained = train(as_parameter(style), found, as_parameter(out), overrides, steps, begun, devices)
    if as_json:
        print(json.dumps({**trained.model_dump(mode="json"), "out": str(out)}))
    elif not quiet:
        from stylebatch.flows.screen import print_trained

        print_trained(out_console, trained, out, time.perf_counter() - started)
    gc.freeze()


def _say_training_stopped(out: Place) -> None:
    from stylebatch.tasks.training.training import checkpoint_of  # which is there already, where a training has begun

    _say_how_to_go_on(checkpoint_of(out))


def _watching_training(session: Session, silent: bool) -> AbstractContextManager[None]:
    if silent:
        return nullcontext()
    from stylebatch.flows.screen import TrainingBar
    from stylebatch.tasks.progress import watcher

    bar = TrainingBar(error_console)
    return session.watching(watcher, bar, bar.progress)


@app.command(epilog="Example: [bold]stylebatch check manifests/demo.yaml[/]")
def check(
    manifest: ManifestArgument,
    set_: SetOption = None,
    allow_http: AllowHttpOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check every row of a manifest and compute nothing: settings, ids, and that its files can be read.

    Exits with 0 when all rows are good, 2 when some are bad.
    """
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.networks.weights import missing_downloads
        from stylebatch.tasks.plan.rows import check_rows
        from stylebatch.tasks.request.manifest import read_manifest

        asked = read_manifest(manifest, allow_http)
        pairs, bad_rows = check_rows(asked, overrides, decode=True)
        downloads = missing_downloads(pair.settings for pair in pairs)
    if as_json:
        listed = [
            {"row": bad.row, "id": bad.id, "column": column, "error": problem}
            for bad in bad_rows
            for column, problem in bad.problems
        ]
        named = [{"url": address, "file": str(file)} for address, file in downloads]
        print(json.dumps({"rows": len(asked.rows), "bad": len(bad_rows), "problems": listed, "downloads": named}))
    else:
        from stylebatch.flows.screen import print_bad_rows, print_downloads

        print_bad_rows(out_console, len(asked.rows), bad_rows)
        print_downloads(out_console, downloads)
    raise typer.Exit(2 if bad_rows else 0)


@app.command(epilog="Example: [bold]stylebatch status outputs/demo[/]")
def status(
    run_dir: RunDirArgument,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Tell how far a run is, while it goes on or after: counts, rate, time left, failures by their cause."""
    with clear_errors(verbose):
        from stylebatch.flows.screen import print_status
        from stylebatch.tasks.runs.status import read_status

        found = read_status(run_dir)
    if as_json:
        print(json.dumps(asdict(found) | {"left": found.left}, default=str))
    else:
        print_status(out_console, found)


@app.command(epilog='Example: [bold]stylebatch serve manifests/demo.yaml --cron "0 3 * * *"[/]')
def serve(
    manifest: ManifestArgument,
    cron: Annotated[str | None, typer.Option(help="When, as in a crontab, in UTC.")] = None,
    interval: Annotated[float | None, typer.Option(min=1, help="Seconds between two starts, instead.")] = None,
    out: OutOption = None,
    set_: SetOption = None,
    allow_http: AllowHttpOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Carry out a manifest again and again, on a schedule: what is new each time. Needs a Prefect server.

    A run that is due while the last one still goes on is left out. Ctrl-C ends it.
    """
    configure(verbose)
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        if (cron is None) == (interval is None):
            raise BadRequest('give either --cron "0 3 * * *" or --interval SECONDS')
        from stylebatch.tasks.request.manifest import read_manifest

        read_manifest(manifest, allow_http)
        folder: Place = out or Path("outputs") / manifest.stem
        from stylebatch.flows.schedule import serve

        text = f"serving {escape(str(manifest))} into {escape(str(folder))}; Ctrl-C ends it"
        out_console.print(text, highlight=False, soft_wrap=True)
        interrupt = Interrupt()  # Prefect's own end waits for runs that are just starting, sometimes for minutes
        interrupt.install()
        try:
            serve(manifest, folder, overrides, cron, interval, allow_http)
        except KeyboardInterrupt:
            interrupt.leave()


@app.command("gallery", epilog="Example: [bold]stylebatch gallery outputs/demo outputs/other --out comparison[/]")
def make_gallery(
    run_dirs: Annotated[
        list[UPath],
        typer.Argument(
            parser=_place, metavar="RUN_DIR...", help="The folders of one or several runs, by their paths or URLs."
        ),
    ],
    out: Annotated[
        UPath | None,
        typer.Option(
            parser=_place,
            metavar="DIR",
            help="Folder for the gallery, by its path or URL.",
            show_default="RUN_DIR/gallery, or beside the first of several",
        ),
    ] = None,
    allow_http: AllowHttpOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write a gallery to compare results by: a folder that opens from disk in any browser and can be sent.

    Exits with 0, or 2 when there is no such run or the folder cannot be written to.
    """
    configure(verbose)
    with clear_errors(verbose):
        from stylebatch.tasks.runs.run_folder import read_runs

        read_runs(run_dirs, allow_http)  # a request that cannot be carried out fails before Prefect's server starts
        session = Session()
        with session.flows():
            from stylebatch.flows.gallery import gallery

            session.ready()
            with nullcontext() if quiet or verbose else _watching_gallery(session):
                page = gallery([as_parameter(one) for one in run_dirs], out and as_parameter(out), allow_http)
    if not quiet:
        out_console.print(escape(str(page)), highlight=False, soft_wrap=True)
    gc.freeze()
