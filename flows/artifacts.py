"""What a run leaves in Prefect: its progress while it runs, its failures, its summary as a table, its first grid."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.logging import get_run_logger
from slugify import slugify

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import load_picture
from stylebatch.tasks.runs.report import Outcome, count
from stylebatch.tasks.storage.places import Place

# A table is for a look; the report is for everything.
ROWS = 200
PREVIEW = 1200  # pixels of the longer side of the grid that is shown


class Artifacts:
    """The artifacts of one flow run over ``rows`` rows of a manifest, which they are named by."""

    def __init__(self, manifest: Place, rows: int) -> None:
        self._name = f"stylebatch-{slugify(manifest.stem) or 'manifest'}"
        self._rows = rows
        self._percent = 0
        progress = create_progress_artifact(0.0, f"{self._name}-progress", "Rows that are settled")
        self._progress = cast(UUID, progress)

    def advance(self, new: Sequence[Outcome], finished: int) -> None:
        """``new`` rows are settled, ``finished`` with those before; each that failed is a warning in the log.

        The server is told of whole per cents only.
        """
        for one in new:
            if one.status == "failed":
                get_run_logger().warning("row %d (%s) failed: %s", one.row, one.id, one.error)
        percent = 100 * finished // self._rows
        if percent != self._percent:
            self._percent = percent
            update_progress_artifact(self._progress, float(percent))

    def summarize(self, outcomes: Sequence[Outcome]) -> None:
        """Leave the counts and the first rows of the report, the failed ones before the others, with their errors."""
        numbers = count(outcomes)
        counts = ", ".join(f"{number} {status}" for status, number in numbers.items())
        if numbers["failed"]:
            counts = f"{numbers['failed']} of {self._rows} rows failed ({counts})"
        shown = sorted(outcomes, key=lambda outcome: outcome.status != "failed")[:ROWS]
        create_table_artifact(
            [_row(outcome, numbers["failed"] > 0) for outcome in shown], f"{self._name}-summary", counts
        )

    def show(self, grids: Sequence[Place]) -> None:
        """Leave a small copy of the first grid. It lies in the artifact, since a server sees no files of a run."""
        if not grids:
            return
        try:
            picture = load_picture(grids[0])
        except (BadInput, OSError):  # a page that was damaged since it was drawn is no reason to lose the summary
            return
        picture.thumbnail((PREVIEW, PREVIEW))
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=75)
        address = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        create_image_artifact(address, f"{self._name}-grid", f"The first of {len(grids)} result grids")


def _row(outcome: Outcome, error_first: bool) -> dict[str, object]:
    """A row of the table. Prefect's page cuts wide ones off at the right."""
    record = outcome.record
    error = {"error": outcome.error} if error_first else {}
    return error | {
        "row": outcome.row,
        "id": outcome.id,
        "content": outcome.content,
        "style": outcome.style,
        "status": outcome.status,
        "total_loss": _short(record.total_loss) if record else None,
        "structure": _short(record.structure) if record else None,
        "style_distance": _short(record.style_distance) if record else None,
        "seconds": round(record.seconds, 1) if record else None,
    }


def _short(figure: float | None) -> float | None:
    """Three digits: a classic loss has thousands, a balanced one less than one."""
    return None if figure is None else float(f"{figure:.3g}")
