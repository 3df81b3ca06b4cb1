"""The form ``webdataset``: tar files in which a picture, its class and what is told of it lie side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.export.ahead import ahead
from stylebatch.tasks.export.samples import Sample, Samples
from stylebatch.tasks.export.target import Target

SHARD = "shard-%06d.tar"
SHARD_BYTES = 500e6  # enough to be read in one go, and little enough that workers have some each


def write_tars(samples: Samples, target: Target) -> Generator[tuple[Sample, BadInput | None]]:
    """Write ``shard-000000.tar`` and so on, with ``KEY.jpg`` (``.png``, ``.webp``), ``KEY.cls`` and ``KEY.json``.

    The key is the file's name without its ending, and the class the place of the label among all, sorted, from 0.
    Gives each sample as it is there, or with what is wrong with it.
    """
    from webdataset import ShardWriter  # seconds, for torch comes with it

    classes = {label: number for number, label in enumerate(samples.labels)}
    taken: set[str] = set()
    writer = ShardWriter(
        f"{str(target.scratch).replace('%', '%%')}/{SHARD}",
        maxcount=10**9,
        maxsize=SHARD_BYTES,
        post=lambda name: target.put(Path(name), Path(name).name),
        verbose=0,
        encoder=False,
        user="",
        group="",
        mtime=0,  # the same run gives the same bytes
    )
    try:
        for sample, picture in ahead(Sample.read, samples):
            if isinstance(picture, BadInput):
                yield sample, picture
                continue
            key = _key(sample, taken)
            told = json.dumps(sample.told, default=str).encode()
            number = str(classes[sample.label]).encode()
            writer.write({"__key__": key, sample.ending: picture, "cls": number, "json": told})
            yield sample, None
    except BaseException:
        writer.post = None  # what is not whole is not put anywhere
        raise
    finally:
        writer.close()


def _key(sample: Sample, taken: set[str]) -> str:
    """The name without ending, and without other dots, since readers take what follows the first for an ending."""
    folder, slash, name = sample.name.removesuffix(f".{sample.ending}").rpartition("/")
    wanted = key = f"{folder}{slash}{re.sub(r'[.]', '_', name)}"
    number = 1
    while key in taken:
        number += 1
        key = f"{wanted}-{number}"
    taken.add(key)
    return key
