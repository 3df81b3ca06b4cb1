"""A network that paints: any style, one, or a collection; trained on photographs, written as a file that `run` uses."""

# No annotations from the future: in a worker's process, Prefect needs the types of the flow's parameters at once.

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from stylebatch.flows.parameters import PlaceParameter
from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.gallery.training_plot import draw_training
from stylebatch.tasks.networks.bundled import BUNDLED
from stylebatch.tasks.networks.models import Trained, read_trained
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.settings import Overrides, Settings, check_settings, texts
from stylebatch.tasks.storage.files import remove, sha256_of, write_atomically
from stylebatch.tasks.storage.places import Place, join
from stylebatch.tasks.training.files import plot_of
from stylebatch.tasks.training.request import COUNTING, File, Method, Request, make_request
from stylebatch.tasks.training.training import train_network

HERE = Path()


@flow(name="train")
def train(
    style: PlaceParameter | None,
    contents: list[str],
    out: PlaceParameter,
    overrides: Overrides | None = None,
    steps: Annotated[int, Field(ge=1)] | None = None,
    start: PlaceParameter | None = None,
    devices: str = "auto",
    styles: list[str] | None = None,
    method: Method = "any-style",
) -> Trained:
    """Train a network for any style, tune one to a single style, or train one for a collection of paintings.

    A training that was stopped goes on where it was.

    Args:
        style: the style picture to tune to, by its path or URL; none for a network for any style.
        contents: names and globs of content pictures: the very ones that are to be stylized, or any photographs. Some
            of them are held out to judge the network.
        out: the network's file, which ends in ``.safetensors``. A preview and a plot of what it has come to are put
            beside it.
        overrides: settings that a training goes by: ``size``, ``style_scale``, the weights.
        steps: of the training, at most; unless given, what two cores take in ten minutes, for any style in a day, or
            for a collection in two hours.
        start: the file of a network to start from; unless given, tuning and collections start from the one that comes
            along.
        devices: where to compute; the first of them is taken.
        styles: names and globs of style pictures, in the place of ``style``, that any style is learned from.
        method: ``one-way`` and ``cyclegan`` take the ``styles`` for one collection, which is the style together.

    Returns:
        What the file says of the network.

    Raises:
        BadRequest: a picture, a setting, the device or the folder for the file is not there or no good.
    """
    slot = make_slots(devices)[0]
    given = texts(overrides)
    check_settings(given, "--set")
    _check_counting(given, method)
    _check_writable(out)
    try:
        if (style is None) == (styles is None):
            raise BadInput("give either one style, to tune a network to, or with --styles many, for any style")
        if method != "any-style" and style is not None:
            raise BadInput(f"{method} learns from a collection; give it with --styles, and no STYLE")
        found = [(style, sha256_of(style))] if style is not None else _find(styles or (), "--styles")
        if style is None and method == "any-style" and len({sha256 for _, sha256 in found}) < 2:
            raise BadInput("--styles: give two different ones at least; to tune a network to one, give it as STYLE")
        begun = _start(start or (None if styles is not None and method == "any-style" else BUNDLED))
        settings = Settings.model_validate(given)
        request = make_request(found, _find(contents, "--contents"), settings, slot.device, begun, steps, method)
        return train_and_draw(request, out, slot)
    except BadInput as error:
        raise BadRequest(str(error)) from None
    except OSError as error:
        raise BadRequest(told(error)) from None


def train_and_draw(request: Request, out: Place, slot: Slot) -> Trained:
    """Carry out a request, within a flow: the network to ``out``, and the plot of its training beside it."""
    trained, curve = train_network(request, out, slot)
    draw_training(curve, trained, plot_of(out))
    return trained


def _find(patterns: Sequence[str], where: str) -> list[File]:
    places = map(partial(join, HERE), expand(HERE, list(patterns), where))
    return [(place, sha256_of(place)) for place in places]


def _start(file: "Place | None") -> File | None:
    if file is None:
        return None
    if read_trained(file).is_of_collection:
        raise BadInput(f"--start {file.name}: it paints as a collection does, and no other style is learned from there")
    return file, sha256_of(file)


def _check_counting(given: Mapping[str, str], method: Method) -> None:
    if idle := [name for name in given if name not in COUNTING[method]]:
        raise BadRequest(f"--set {idle[0]}: a training does not go by it; it does by {', '.join(COUNTING[method])}")


def _check_writable(out: Place) -> None:
    probe = out.with_name(f".{out.name}.probe")
    try:
        write_atomically(probe, b"")
        remove(probe)
    except (BadInput, OSError) as error:
        raise BadRequest(f"cannot write to {out.parent}: {told(error)}; choose another place with --out") from None
