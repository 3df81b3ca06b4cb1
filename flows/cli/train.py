"""``stylebatch train``."""

from __future__ import annotations

import gc
import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from upath import UPath

from stylebatch.flows.cli.options import DevicesOption, JsonOption, QuietOption, SetOption, VerboseOption, as_place
from stylebatch.flows.cli.terminal import clear_errors, error_console, out_console, say_error
from stylebatch.flows.cli.watching import say_how_to_go_on
from stylebatch.flows.prefect_server import configure
from stylebatch.flows.session import Session
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.settings import parse_assignments
from stylebatch.tasks.storage.places import Place, as_parameter

EXAMPLE = (
    "Example: [bold]stylebatch train styles/night.jpg --contents 'photographs/*.jpg' --out night.safetensors "
    "--set size=256[/]"
)


def train(
    style: Annotated[
        UPath, typer.Argument(parser=as_place, metavar="STYLE", help="The style picture, by its path or URL.")
    ],
    contents: Annotated[
        list[str],
        typer.Option(
            metavar="GLOB", help="Content pictures: those to be stylized, or any photographs. May be repeated."
        ),
    ],
    out: Annotated[UPath, typer.Option(parser=as_place, metavar="FILE", help="The network's file, NAME.safetensors.")],
    set_: SetOption = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training, at most.")] = 4000,
    start: Annotated[
        UPath | None,
        typer.Option(
            parser=as_place, metavar="FILE", help="A network to start from, of whatever style.", show_default="none"
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
        from stylebatch.tasks.request.manifest import expand
        from stylebatch.tasks.storage.files import exists

        # A request that cannot be carried out fails here, before Prefect's server starts.
        found = list(expand(Path(), contents, "--contents"))
        if not exists(style):
            raise BadRequest(f"there is no style picture {style}")
        if out.suffix != ".safetensors":
            raise BadRequest(f"--out {out}: a network's file ends in .safetensors")
        session = Session(say_error, lambda: _say_training_stopped(out))
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

    say_how_to_go_on(checkpoint_of(out))


def _watching_training(session: Session, silent: bool) -> AbstractContextManager[None]:
    if silent:
        return nullcontext()
    from stylebatch.flows.screen import TrainingBar
    from stylebatch.tasks.progress import watcher

    bar = TrainingBar(error_console)
    return session.watching(watcher, bar, bar.progress)
