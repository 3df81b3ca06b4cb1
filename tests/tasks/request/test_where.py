"""Conditions on the report: what they choose, and that nothing but a condition is carried out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.where import choose

REPORT = pa.table(
    {
        "id": ["a", "b", "c", "d"],
        "content": ["in/cat.jpg", "in/dog.jpg", "in/cat.jpg", "in/dog.jpg"],
        "style": ["s/swirls.png", "s/waves.png", "s/swirls.png:2 | s/waves.png:1", "s/glass.png"],
        "status": ["completed", "cached", "completed", "failed"],
        "style_loss": [6000.0, 4000.0, 9000.0, None],
        "content_loss": [100.0, 900.0, 300.0, None],
        "steps": pa.array([50, 100, 150, None], pa.int64()),
    }
)


def chosen(condition: str) -> str:
    return "".join(choose(REPORT, condition)["id"].to_pylist())


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("style_loss > 5000", "ac"),
        ('style_loss > 5000 and style == "swirls"', "ac"),
        ('style == "waves"', "bc"),
        ('style == "s/waves.png"', "bc"),
        ('style != "swirls.png"', "bd"),
        ('style in ("glass", "waves")', "bcd"),
        ('style not in ["glass", "waves"]', "a"),
        ('content == "cat" or status == "failed"', "acd"),
        ("not style_loss > 5000", "b"),
        ("50 < steps <= 150", "bc"),
        ("steps in (50, 150)", "ac"),
        ("style_loss > 10 * content_loss + 1", "ac"),
        ("style_loss / content_loss < 5", "b"),
        ("style_loss == None", "d"),
        ("style_loss is not None and steps != 100", "ac"),
        ("style_loss > -1", "abc"),
        ('id == "a" and (steps == 50 or steps == 100)', "a"),
        ('"cat" == content', ""),
    ],
)
def test_a_condition_chooses(condition: str, ids: str) -> None:
    assert chosen(condition) == ids


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("stile_loss > 3", "no column 'stile_loss'; did you mean 'style_loss'?"),
        ("style_loss >", "write it as --where 'structure < 0.6'"),
        ("", "write it as"),
        ("__import__('os').system('true')", "more than a condition"),
        ("style.upper() == 'A'", "more than a condition"),
        ("id[0] == 'a'", "more than a condition"),
        ("(lambda: True)()", "more than a condition"),
        ("[x for x in id]", "more than a condition"),
        ("style_loss ** 1000 > 1", "more than a condition"),
        ("style_loss > 'high'", "--where style_loss > 'high'"),
        ("status + 1 == 3", "--where status + 1 == 3"),
        ("style_loss", "--where style_loss"),
        ("status in style", "within brackets"),
        ("steps in (1, steps)", "numbers or texts in brackets"),
        ("steps == 1" + " or steps == 1" * 500, "longer than"),
        ("(" * 900 + "steps" + ")" * 900, "--where"),
        ("not " * 480 + "steps", "--where"),
        ("steps == 99999999999999999999999", "--where"),
        ("steps\x00 == 1", "--where"),
    ],
)
def test_whatever_else_is_refused_in_a_sentence(condition: str, message: str) -> None:
    with pytest.raises(BadRequest, match="--where") as refusal:
        chosen(condition)
    assert message in str(refusal.value)
