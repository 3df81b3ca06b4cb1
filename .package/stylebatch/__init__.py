"""Neural style transfer in batches: the one name under which everything is installed, and what Python calls.

    import stylebatch

    result = stylebatch.stylize("photograph.jpg", "painting.jpg", size=256)
    result.picture.save("stylized.png")

    report = stylebatch.run([{"content": "photograph.jpg", "style": "painting.jpg"}], "outputs/mine")

The folders lie at the top of the repository; the links beside this file give them their place in the package. A name is
imported when it is first asked for, since torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylebatch.flows.given_rows import run
    from stylebatch.flows.one_picture import Stylized, stylize
    from stylebatch.tasks.errors import BadInput, BadRequest
    from stylebatch.tasks.request.settings import Settings

__all__ = ["BadInput", "BadRequest", "Settings", "Stylized", "run", "stylize"]

_HOMES = {
    "BadInput": "tasks.errors",
    "BadRequest": "tasks.errors",
    "Settings": "tasks.request.settings",
    "Stylized": "flows.one_picture",
    "run": "flows.given_rows",
    "stylize": "flows.one_picture",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
