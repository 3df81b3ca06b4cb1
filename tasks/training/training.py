"""A training carried to its end: a file that paints comes out; a crash costs the last minute alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.networks.models import Trained, write_model
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.progress import watcher
from stylebatch.tasks.storage.places import Place
from stylebatch.tasks.stylizing.pair_task import retry_where_it_may_help
from stylebatch.tasks.training.checkpoint import Checkpoint
from stylebatch.tasks.training.collection_session import CollectionSession
from stylebatch.tasks.training.course import Point
from stylebatch.tasks.training.files import checkpoint_of, preview_of
from stylebatch.tasks.training.request import Request
from stylebatch.tasks.training.session import Session

KEPT_EVERY = 60.0  # seconds between two checkpoints


@task(
    name="train",
    task_run_name="network for {request.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_condition_fn=retry_where_it_may_help,
)
def train_network(request: Request, out: Place, slot: Slot) -> tuple[Trained, Sequence[Point]]:
    """Train a network, or go on where an earlier process stopped, and write it to ``out``.

    Beside it, a preview and a checkpoint are written as it goes on; the checkpoint is removed at the end.

    Returns:
        What the file says of the network, and the curve of its training.

    Raises:
        BadInput: a picture cannot be read, a file was changed meanwhile, or the training has diverged.
    """
    checkpoint, watching = Checkpoint(checkpoint_of(out), request.digest), watcher.get()
    kind = CollectionSession if request.is_for_collection else Session
    with kind(request, slot) as session:
        session.resume(checkpoint)
        kept = time.monotonic()
        while not session.is_over:
            session.take()
            if session.is_due:
                session.validate()
                write_png(session.preview(), preview_of(out))
            judged = _told(session.curve[-1], request) if session.curve else {}
            watching.training(session.step, request.steps, session.recent, judged)
            if session.is_due or time.monotonic() > kept + KEPT_EVERY:
                session.save(checkpoint)
                kept = time.monotonic()
        network, trained = session.finish()
        write_model(out, network, trained)
        checkpoint.remove()
        return trained, session.curve


def _told(point: Point, request: Request) -> Mapping[str, float]:
    """The figures of a validation by their names."""
    if request.is_for_collection:
        return {"structure": point.structure, "distance to the paintings": point.held_out}
    return {"structure": point.structure, "style distance": point.style_distance}
