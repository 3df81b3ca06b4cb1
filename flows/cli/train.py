"""``stylebatch train``."""

from __future__ import annotations

import gc
import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from stylebatch.flows.cli.options import AsPlace, DevicesOption, JsonOption, QuietOption, VerboseOption, as_place
from stylebatch.flows.cli.set_option import SetOption
from stylebatch.flows.cli.terminal import clear_errors, error_console, out_console, say_error
from stylebatch.flows.cli.watching import say_how_to_go_on
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter
from stylebatch.tasks.training.files import checkpoint_of

EXAMPLE = (
    "Examples: [bold]stylebatch train styles/night.jpg --contents 'photographs/*.jpg' --out night.safetensors[/], "
    "[bold]stylebatch train --styles 'paintings/*.jpg' --contents 'photographs/*.jpg' --out any.safetensors[/]"
)


def train(
    contents: Annotated[
        list[str],
        typer.Option(
            metavar="GLOB", help="Content pictures: those to be stylized, or any photographs. May be repeated."
        ),
    ],
    out: Annotated[
        AsPlace, typer.Option(parser=as_place, metavar="FILE", help="The network's file, NAME.safetensors.")
    ],
    style: Annotated[
        AsPlace | None,
        typer.Argument(
            parser=as_place,
            metavar="[STYLE]",
            help="The style picture to tune the network to, by its path or URL.",
            show_default=False,
        ),
    ] = None,
    styles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Instead of STYLE: style pictures, to learn any style from, or a collection. May be repeated.",
        ),
    ] = None,
    method: Annotated[
        Literal["any-style", "one-way", "cyclegan"],
        typer.Option(
            help="What --styles are: each a style of its own, or, with the other two, a collection that is one style."
        ),
    ] = "any-style",
    set_: SetOption = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps of the training, at most.",
            show_default="what two cores take in ten minutes, with --styles in a day, for a collection in two hours",
        ),
    ] = None,
    start: Annotated[
        AsPlace | None,
        typer.Option(
            parser=as_place,
            metavar="FILE",
            help="A network to start from.",
            show_default="the one that comes along, or for any style none",
        ),
    ] = None,
    devices: DevicesOption = "auto",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Tune the network that paints in one pass to one style, or train one for any, or for a collection of paintings.

    Some of the contents are held out, and the training ends when they no longer improve. What was stopped goes on. Use
    the network with engine=feedforward and model=NAME.safetensors.
    """
    configure(verbose)
    started = time.perf_counter()
    with clear_errors(verbose):
        overrides = parse_assignments(set_ or [])
        from stylebatch.tasks.request.globs import expand
        from stylebatch.tasks.storage.files import exists

        # A request that cannot be carried out fails here, before Prefect's server starts.
        if (style is None) == (styles is None):
            raise BadRequest("give either a STYLE, to tune the network to, or --styles, to learn any style from")
        found = list(expand(Path(), contents, "--contents"))
        many = list(expand(Path(), styles, "--styles")) if styles else None
        if style is not None and not exists(style):
            raise BadRequest(f"there is no style picture {style}")
        if out.suffix != ".safetensors":
            raise BadRequest(f"--out {out}: a network's file ends in .safetensors")
        session = Session(say_error, lambda: _say_training_stopped(out))
        with session.flows():
            from stylebatch.flows.train import train

            session.ready()
            with _watching_training(session, quiet or as_json or verbose):
                one, begun = (as_parameter(place) if place else None for place in (style, start))
                trained = train(one, found, as_parameter(out), overrides, steps, begun, devices, many, method)
    if as_json:
        print(json.dumps({**trained.model_dump(mode="json"), "out": str(out)}))
    elif not quiet:
        from stylebatch.flows.screen import print_trained

        print_trained(out_console, trained, out, time.perf_counter() - started)
    gc.freeze()


def _say_training_stopped(out: Place) -> None:
    say_how_to_go_on(checkpoint_of(out))


def _watching_training(session: Session, silent: bool) -> AbstractContextManager[None]:
    if silent:
        return nullcontext()
    from stylebatch.flows.screen import TrainingBar
    from stylebatch.tasks.progress import watcher

    bar = TrainingBar(error_console)
    return session.watching(watcher, bar, bar.progress)
