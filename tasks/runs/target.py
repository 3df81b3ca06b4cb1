"""Whether a run may write into a folder: it may have been a run's before, or is empty, or not there yet."""

from __future__ import annotations

from stylebatch.tasks.errors import BadInput, BadRequest, told
from stylebatch.tasks.storage.files import everything_in
from stylebatch.tasks.storage.places import Place, is_web


def refuse_others_folder(folder: Place) -> None:
    """Refuse a folder that has things in it which no run has written; hidden names, such as a Mac's, do not count.

    Raises:
        BadRequest: it has, or it is a file, or it cannot be listed.
    """
    if is_web(folder):  # nothing can be written there, which the store tells
        return
    try:
        names = everything_in(folder)
    except NotADirectoryError:
        raise BadRequest(f"--out {folder}: it is a file; give a folder") from None
    except (BadInput, OSError) as error:
        raise BadRequest(f"{told(error)}; choose another with --out") from None
    if "run.json" in names or ".store" in names:
        return
    others = sorted(name for name in names if not name.startswith("."))
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise BadRequest(
            f"--out {folder}: there is {others[0]}{more} in it, and no run; give an empty folder, a new one, or a run's"
        )
