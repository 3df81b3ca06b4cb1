"""The form ``imagefolder``: a folder a class, as `torchvision.datasets.ImageFolder` and ``datasets`` read it."""

from __future__ import annotations

import csv
from collections.abc import Generator

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.export.ahead import ahead
from stylebatch.tasks.export.samples import Sample, Samples
from stylebatch.tasks.export.target import Target

TABLE = "metadata.csv"  # what Hugging Face's `imagefolder` reads beside the pictures


def write_tree(samples: Samples, target: Target) -> Generator[tuple[Sample, BadInput | None]]:
    """Put each picture into its folder, and what is told of them into ``metadata.csv``.

    Gives each sample as it is there, or with what is wrong with it.
    """
    table = target.scratch / TABLE
    with table.open("x", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, samples.schema.names)
        writer.writeheader()
        for sample, problem in ahead(target.take, samples):
            if problem is None:
                writer.writerow(sample.told)
            yield sample, problem
    target.put(table, TABLE)
