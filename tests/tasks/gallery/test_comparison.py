"""Which settings two figures must share to compare."""

from __future__ import annotations

from stylebatch.tasks.gallery.comparison import needs
from stylebatch.tasks.request.settings import Settings


def test_a_figure_needs_what_is_in_it() -> None:
    assert {"content_weight", "style_weight", "tv_weight", "network"} <= set(needs("total_loss"))
    assert "content_weight" not in needs("style_loss")
    assert needs("style_loss_relu3_1") == needs("style_loss")
    assert "style_weight" not in needs("style_distance")
    assert needs("seconds") == ()
    for figure in (
        "total_loss",
        "content_loss",
        "style_loss",
        "tv_loss",
        "structure",
        "content_similarity",
        "style_distance",
    ):
        assert set(needs(figure)) <= {*Settings.model_fields, "style"}
        assert needs(figure)
