"""Files' names as people would write them below a picture."""

from __future__ import annotations

import re

from stylebatch.tasks.request.collections import stem_of
from stylebatch.tasks.request.styles import NamedStyle, styles_of, written

_JOINTS = re.compile(r"[\s_\-+.]+")
_DIGEST = re.compile(r"-[0-9a-f]{8}$")  # what an id ends in that was made and not given


def as_written(name: str) -> str:
    """``photos/golden-gate_bridge.jpg`` as ``Golden gate bridge``; without letters or digits it stays as it is."""
    words = _JOINTS.sub(" ", stem_of(name)).strip()
    return words[:1].upper() + words[1:] if words else name


def title_of(name: str, content: str, style: str) -> str:
    """The title of a result: the id that was given, or in place of one that was made ``Bridge · Starry night``.

    Args:
        name: the id.
        content: the content picture's title; ``style``: the style's.
    """
    return f"{content} · {style}" if _DIGEST.search(name) else name


def style_title(style: str) -> str:
    """The title of a style in a report's words: that of a blend names its pictures, with their weights."""
    return written([NamedStyle(as_written(one.name), one.weight) for one in styles_of(style)])
