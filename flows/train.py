"""A network for one style: trained on content pictures, written as a file that `run` stylizes with."""

# No annotations from the future: in a worker's process, Prefect needs the types of the flow's parameters at once.

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.gallery.training_plot import draw_training
from stylebatch.tasks.networks.models import Trained, read_trained
from stylebatch.tasks.networks.weights import check_weights, fetch_weights
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.settings import Overrides, Settings, check_settings, texts
from stylebatch.tasks.storage.files import remove, sha256_of, write_atomically
from stylebatch.tasks.storage.places import Place, PlaceParameter, join
from stylebatch.tasks.training.training import STEPS, Request, make_request, train_network

HERE = Path()


@flow(name="train")
def train(
    style: PlaceParameter,
    contents: list[str],
    out: PlaceParameter,
    overrides: Overrides | None = None,
    steps: Annotated[int, Field(ge=1)] = STEPS,
    start: PlaceParameter | None = None,
    devices: str = "auto",
) -> Trained:
    """Train a network for one style. A training that was stopped goes on where it was.

    Args:
        style: the style picture, by its path or URL.
        contents: names and globs of content pictures: the very ones that are to be stylized, or any photographs. Some
            of them are held out to judge the network.
        out: the network's file, which ends in ``.safetensors``. A preview and a plot of the losses are put beside it.
        overrides: settings of the objective: ``size``, the weights, the layers.
        steps: of the training, at most.
        start: the file of another network to start from, of whatever style.
        devices: where to compute; the first of them is taken.

    Returns:
        What the file says of the network.

    Raises:
        BadRequest: a picture, a setting, the device or the folder for the file is not there or no good.
    """
    slot = make_slots(devices)[0]
    given = texts(overrides)
    check_settings(given, "--set")
    _check_writable(out)
    try:
        return train_and_draw(
            _request(style, contents, Settings.model_validate(given), steps, start, slot.device), out, slot
        )
    except BadInput as error:
        raise BadRequest(str(error)) from None
    except OSError as error:
        raise BadRequest(told(error)) from None


def train_and_draw(request: Request, out: Place, slot: Slot) -> Trained:
    """Carry out a request, within a flow: the network to ``out``, and the plot of its losses beside it."""
    trained, curve = train_network(request, out, slot)
    draw_training(curve, trained, out.with_name(f"{out.stem}.losses.svg"))
    return trained


def _request(
    style: Place, contents: Sequence[str], settings: Settings, steps: int, start: Place | None, device: str
) -> Request:
    locate = partial(join, HERE)
    found = [(place, sha256_of(place)) for place in map(locate, expand(HERE, list(contents), "--contents"))]
    if problem := check_weights(settings.network, settings.weights, locate):
        raise BadRequest(f"weights: {problem}")
    weights = fetch_weights(settings.network, settings.weights, locate)
    if start:
        read_trained(start)
    begun = (start, sha256_of(start)) if start else None
    return make_request(style, sha256_of(style), found, settings, weights, steps, device, begun)


def _check_writable(out: Place) -> None:
    probe = out.with_name(f".{out.name}.probe")
    try:
        write_atomically(probe, b"")
        remove(probe)
    except (BadInput, OSError) as error:
        raise BadRequest(f"cannot write to {out.parent}: {told(error)}; choose another place with --out") from None
