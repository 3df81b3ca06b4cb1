"""A run becomes a data set in one of three forms."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Literal

from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.export.samples import Sample, Samples
from stylebatch.tasks.export.table import write_table
from stylebatch.tasks.export.target import Target, open_target
from stylebatch.tasks.export.tars import write_tars
from stylebatch.tasks.export.tree import write_tree
from stylebatch.tasks.storage.places import Place, absolute

Form = Literal["imagefolder", "webdataset", "parquet"]
_Writer = Callable[[Samples, Target], Generator[tuple[Sample, BadInput | None]]]
WRITERS: Mapping[Form, _Writer] = {"imagefolder": write_tree, "webdataset": write_tars, "parquet": write_table}


@dataclass
class Exported:
    """What became of a run's rows.

    Attributes:
        pictures: that the data set has.
        labels: all that they have, sorted.
        failed: ids of the rows that are left out since they have no picture.
        unusable: ids of the rows that are left out since their picture is not what it was, with the reasons.
        left: rows that the run did not come to.
    """

    pictures: int
    labels: list[str]
    failed: list[str]
    left: int
    unusable: dict[str, str] = field(default_factory=dict)


def export(
    run_dir: Place, form: Form, out: Place, overwrite: bool = False, progress: Callable[[int, int], None] | None = None
) -> Exported:
    """Write a run's pictures into ``out`` as a data set, with what the report tells of them.

    Args:
        overwrite: let an earlier export in the folder give way.
        progress: told after each picture how many are done, and of how many.

    Raises:
        BadRequest: there is no run, or none of its pictures can be exported; there are other things in the folder, or
            it cannot be written to.
    """
    samples = Samples(run_dir)
    exported = Exported(0, samples.labels, samples.failed, samples.left)
    about = {"as": form, "run": str(absolute(run_dir)), "stylebatch": version("stylebatch")}
    with open_target(out, overwrite, about) as target, closing(WRITERS[form](samples, target)) as written:
        for done, (sample, problem) in enumerate(written, start=1):
            if problem:
                exported.unusable[sample.told["id"]] = str(problem)
            else:
                exported.pictures += 1
            if progress:
                progress(done, len(samples))
        if not exported.pictures:
            name, reason = next(iter(exported.unusable.items()))
            raise BadRequest(f"no picture of the run in {run_dir} can be exported: that of {name} {reason}")
    return exported
