"""A comparison gallery from one or several runs."""

# No annotations from the future: in a worker's process, Prefect needs the types of the flow's parameters at once.

import os
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import TypeVar

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from stylebatch.flows.parameters import PlaceParameter
from stylebatch.tasks.devices.slots import available_devices
from stylebatch.tasks.gallery.collection import Collection
from stylebatch.tasks.gallery.folder import default_folder, prepare_folder, write_page
from stylebatch.tasks.gallery.mirror import on_this_machine
from stylebatch.tasks.gallery.page_data import Look, page_data
from stylebatch.tasks.gallery.plots import draw_plots
from stylebatch.tasks.gallery.quality import FigureKey, Figures, figure_key, judge, read_figures, write_figures
from stylebatch.tasks.gallery.thumbnails import make_copies
from stylebatch.tasks.runs.run_folder import read_runs
from stylebatch.tasks.storage.cache import fetch_ahead
from stylebatch.tasks.storage.places import Place

# What one task run does: enough that Prefect's own time for it does not count, little enough to be lost.
COPIES, JUDGED = 64, 32
T = TypeVar("T")
# Told what is being made, how many of it are done, and of how many. By context, as `tasks.progress.watcher`.
progress: ContextVar[Callable[[str, int, int], None]] = ContextVar("progress", default=lambda *_: None)


@flow(name="gallery", task_runner=ThreadPoolTaskRunner(max_workers=os.cpu_count() or 1))  # type: ignore[arg-type]  # a fault of Prefect's types
def gallery(
    run_dirs: Sequence[PlaceParameter],
    out: PlaceParameter | None = None,
    allow_http: bool = False,
    title: str = "",
    presentation: bool = False,
) -> Place:
    """Write a gallery of one or several runs. What an earlier gallery in the same folder has is not made again.

    Args:
        run_dirs: the runs' folders, by their paths or URLs.
        out: the gallery's folder; without it, ``gallery`` in the run's (``presentation`` for one), or beside the
            first of several.
        allow_http: let originals be read from the web; never from a private address.
        title: the page's heading; without one, the runs' names.
        presentation: for people who are to choose: names as one would write them, no figures, nothing that failed.

    Returns:
        The page, ``index.html``.

    Raises:
        BadRequest: there is no run in a folder, or the gallery's folder cannot be written to.
    """
    runs = read_runs(run_dirs, allow_http)
    place = out or default_folder(run_dirs, presentation)
    with on_this_machine(place) as folder:
        prepare_folder(folder)
        collection = Collection(runs, folder)
        missing = _copy(collection)
        figures, plots = {}, []
        if not presentation:
            figures = _judge(collection, folder, [run.folder / "gallery" for run in runs])
            found = collection.layout.values
            dimensions = {name: values for name, values in found.items() if name not in ("content", "style")}
            progress.get()("plots and page", 0, 0)
            plots = draw_plots(collection.points(figures), dimensions, folder)
        data = page_data(collection, Look(title, presentation), missing, figures, plots)
        page = write_page(folder, collection, data)
    return place / page.name


def _copy(collection: Collection) -> dict[str, str]:
    """Make the pictures; those that cannot be made are returned with the reason."""
    copies = [copy for copy in collection.copies() if not copy.target.exists()]
    fetch_ahead(copy.source for copy in copies)
    missing: dict[str, str] = {}
    batches = list(_batches(copies, COPIES))
    for number, future in enumerate([make_copies.submit(batch) for batch in batches]):
        progress.get()("pictures", number * COPIES, len(copies))
        missing |= future.result()
    return missing


def _judge(collection: Collection, folder: Path, others: Sequence[Place]) -> dict[FigureKey, Figures]:
    """The quality figures of every finished row; all folders may know some of them, and ``folder`` is to know all."""
    known: dict[FigureKey, Figures] = {}
    for place in (*reversed(others), folder):
        known |= read_figures(place / "figures.parquet")
    asked = {figure_key(row, collection.layers): row for row in collection.finished}
    figures = {key: known[key] for key in asked if key in known}
    todo = {key: row for key, row in asked.items() if key not in known}
    devices = available_devices()
    for round_ in _batches(list(todo), JUDGED * len(devices)):
        running: list[tuple[Sequence[FigureKey], PrefectFuture[list[Figures]]]] = []
        for device, batch in zip(devices, _batches(round_, JUDGED), strict=False):
            running.append((batch, judge.submit([todo[key] for key in batch], collection.layers, device)))
        for keys, future in running:
            progress.get()("judging", len(figures) - len(asked) + len(todo), len(todo))
            figures |= zip(keys, future.result(), strict=True)
        # Written as they come: they are what takes time.
        write_figures(figures, folder / "figures.parquet")
    if not todo:
        write_figures(figures, folder / "figures.parquet")
    return figures


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
