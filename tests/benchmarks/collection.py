"""How near to a collection of paintings the ways of painting come, as sets: `make bench-collection`.

For fair figures give photographs that no network was trained with. Of the paintings, some are the reference that all
ways are compared with, and none of them is used as a style: those that the network's training has held out, or without
a network every sixth. Distances are shares of the photographs' own, see `tasks.nst.frechet`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any

import torch
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.networks.models import read_trained
from stylebatch.tasks.nst.encoder import Encoder
from stylebatch.tasks.nst.figures import STRUCTURE_LAYER
from stylebatch.tasks.nst.frechet import LAYER, Gaussian, cells, frechet_distance, gaussian_of
from stylebatch.tasks.nst.structure import structure
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.pictures.resize import resize
from stylebatch.tasks.plan.jobs import Job, make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.globs import expand
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.stylizing.objective import to_tensor
from tests.benchmarks.one_pass import optimized, painted, write_sheet

SLOT = Slot("cpu")
Way = Callable[[Job, Image.Image], Image.Image]  # a job and its content become a picture


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contents", nargs="+", required=True, help="photographs")
    parser.add_argument("--paintings", nargs="+", required=True, help="the collection")
    parser.add_argument("--network", type=Path, help="that `stylebatch train --method one-way` has written")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--optimized", type=int, default=0, help="so many photographs are optimized too")
    parser.add_argument("--steps", type=int, default=40, help="of the optimizer")
    parser.add_argument("--sheet", type=Path, help="where to put all pictures, a row a photograph, as PNG")
    given = parser.parse_args()
    contents, paintings = (
        [Path(name) for name in expand(Path(), names, "pictures")] for names in (given.contents, given.paintings)
    )
    learned, reference = parted(paintings, given.network)
    rows = compare(contents, learned, reference, given)
    if given.sheet:
        write_sheet(rows, given.size, given.sheet)


def parted(paintings: Sequence[Path], network: Path | None) -> tuple[Sequence[Path], Sequence[Path]]:
    """The paintings that may be styles, and those of the reference."""
    apart = set(paintings[::6])
    if network:
        trained = read_trained(network)
        held_out = trained.paintings[: len(trained.paintings) - trained.styles]
        apart = {path for path in paintings if sha256_of(path) in held_out}
    return [path for path in paintings if path not in apart], [path for path in paintings if path in apart]


def compare(
    contents: Sequence[Path], learned: Sequence[Path], reference: Sequence[Path], given: argparse.Namespace
) -> list[list[Image.Image]]:
    """Print a row a way; the pictures, of each photograph by every way that there is for it."""
    encoder = Encoder([LAYER, STRUCTURE_LAYER])
    print(f"{len(contents)} photographs, {len(reference)} paintings as reference, {given.size} px\n")
    print("| | pictures | structure (least) | distance | seconds a picture |\n|---|---|---|---|---|")
    wanted = _gaussian(encoder, [resize(load_picture(path), given.size) for path in reference])
    own = [resize(load_picture(path), given.size) for path in contents]
    far = frechet_distance(_gaussian(encoder, own), wanted)

    def apart(pictures: Sequence[Image.Image]) -> float:
        return frechet_distance(_gaussian(encoder, pictures), wanted) / far

    chance = Random(5)
    by_chance = [chance.choice(learned) for _ in contents]
    sheet: list[list[Image.Image]] = [[] for _ in contents]
    for name, settings, styles, way, count in ways(given, learned, by_chance):
        pictures, seconds = [], []
        for content, style in list(zip(contents, styles, strict=True))[:count]:
            job = job_of(content, style, {"size": given.size, "judge": 0, **settings})
            original = load_picture(content)
            began = time.perf_counter()
            pictures.append(way(job, original))
            seconds.append(time.perf_counter() - began)
        kept = [_structure(encoder, *pair) for pair in zip(pictures, own, strict=False)]
        told = f"{apart(pictures):.3f}"
        if count < len(contents):  # few pictures are further from anything than many
            told += f" (these photographs {apart(own[:count]):.3f})"
        spread = f"{fmean(kept):.2f} ({min(kept):.2f})"
        print(f"| {name} | {len(pictures)} | {spread} | {told} | {median(seconds):.3f} |", flush=True)
        for row, picture in zip(sheet, pictures, strict=False):
            row.append(picture)
    others = [resize(load_picture(path), given.size) for path in learned]
    print(f"| other paintings of the collection | {len(others)} | | {apart(others):.3f} | |")
    return sheet


def ways(
    given: argparse.Namespace, learned: Sequence[Path], by_chance: Sequence[Path]
) -> list[tuple[str, Mapping[str, Any], Sequence[Any], Way, int]]:
    """What is compared: its name, settings, the style of each photograph, what makes the pictures, and how many."""
    count = len(by_chance)
    one_pass = {"engine": "feedforward"}
    found: list[tuple[str, Mapping[str, Any], Sequence[Any], Way, int]] = [
        ("the photographs", {}, by_chance, lambda job, content: resize(content, given.size), count),
        ("any style, a painting by chance", one_pass, by_chance, painted, count),
    ]
    whole = [f"collection:{given.paintings[0]}"] * count
    found.append(("any style, the mean of the collection", one_pass, whole, painted, count))
    if given.optimized:
        name, steps = f"optimizer, {given.steps} steps, a painting by chance", {"steps": given.steps}
        found.append((name, steps, by_chance, optimized, min(given.optimized, count)))
    if given.network:
        model = {**one_pass, "model": str(given.network.absolute())}
        found.append((f"network of the collection: {given.network.stem}", model, whole, painted, count))
    return found


def job_of(content: Path, style: Any, settings: Mapping[str, Any]) -> Job:
    named = str(style.absolute()) if isinstance(style, Path) else style
    manifest = Manifest(Path("bench.yaml"), [{"content": str(content.absolute()), "style": named, **settings}])
    good, bad = check_rows(manifest, {})
    if bad:
        sys.exit(bad[0].message)
    return make_jobs(manifest, good, SLOT)[0][0]


def _gaussian(encoder: Encoder, pictures: Sequence[Image.Image]) -> Gaussian:
    return gaussian_of(cells(encoder, to_tensor(one, "cpu")) for one in pictures)


@torch.no_grad()
def _structure(encoder: Encoder, picture: Image.Image, content: Image.Image) -> float:
    seen = [encoder(to_tensor(one, "cpu"), {STRUCTURE_LAYER: torch.Tensor.detach}) for one in (picture, content)]
    return structure(*(one[STRUCTURE_LAYER] for one in seen))


if __name__ == "__main__":
    main()
