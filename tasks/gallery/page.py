"""The gallery's page: one HTML file with style and scripts inside, which a content security policy allows by digest.

Scripts cannot be loaded as modules, nor data be fetched, by a page that was opened from disk: so everything but the
pictures and the loss curves is in the page. Names and errors travel as JSON, and the scripts only ever set them as
text. Curves come in pieces, each a script beside the page, once a pair is opened that has one in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

GENERATOR = "stylebatch gallery"
WEB = files("stylebatch.tasks.gallery") / "web"
# In the order in which they use each other.
SCRIPTS = (
    "library/panzoom-4.6.2.min.js",
    "data.js",
    "comparable.js",
    "state.js",
    "chunks.js",
    "picture.js",
    "picks.js",
    "filters.js",
    "wipe.js",
    "pane.js",
    "curve.js",
    "large.js",
    "compare.js",
    "result.js",
    "matrix.js",
    "list.js",
    "main.js",
)


def _read(name: str) -> str:
    return (WEB / name).read_text("utf-8")


def _in_ascii(script: str) -> str:
    """The same script: its other characters, which are in texts and comments, as JavaScript escapes them."""
    return re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], script)


def _digest(text: str) -> str:
    """A source of a content security policy: this very text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def as_json(data: Any) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element, or begins a comment."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def render_piece(number: int, curves: Sequence[Any]) -> str:
    """A script that hands the page a piece of the loss curves, a line each, of which only that of a pair is parsed."""
    lines = "\n".join(json.dumps(one, allow_nan=False, separators=(",", ":")) for one in curves)
    return f"curvesArrived({number}, {json.dumps(lines)});\n"


def render_page(data: Mapping[str, Any]) -> str:
    """The page; ``data`` is what the scripts show, in JSON's types, and the page's template uses some of it too.

    It is written in ASCII: a single other character makes a browser keep all of the page in two bytes each.
    """
    scripts = [_in_ascii(_read(name)) for name in SCRIPTS]
    style = _read("gallery.css")
    policy = [
        "default-src 'none'",
        "img-src 'self' file:",  # a page opened from disk has no origin that 'self' could be in every browser
        f"script-src {' '.join(map(_digest, scripts))} 'self' file:",  # the pieces, whose addresses the page checks
        f"style-src {_digest(style)}",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",  # no script may turn text into markup
        "trusted-types curves",
    ]
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("gallery.html").render(
        data=data,
        policy="; ".join(policy),
        generator=GENERATOR,
        style=style,
        scripts=scripts,
        data_json=as_json(data),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")
