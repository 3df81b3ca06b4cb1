"""What two results must have in common for a figure of theirs to be compared."""

from __future__ import annotations

_LOSS = ("style", "objective")  # under `balanced`, styles do compare: `web/comparable.js`
_ENCODER = ("size", "network", "weights", "pooling", "preserve_color")
_CONTENT = ("content_weight", "content_layers")
_STYLE = ("style_weight", "style_layers", "style_scale")
_VARIATION = ("tv_weight", "tv_power")
_NEEDS = {
    "total_loss": (*_LOSS, *_ENCODER, *_CONTENT, *_STYLE, *_VARIATION),
    "content_loss": (*_LOSS, *_ENCODER, *_CONTENT),
    "style_loss": (*_LOSS, *_ENCODER, *_STYLE),
    "tv_loss": ("size", *_VARIATION),
    "structure": ("size",),
    "content_similarity": ("size",),
    "style_distance": ("size", "style_scale", "preserve_color"),
}


def needs(figure: str) -> tuple[str, ...]:
    """The dimensions that have to be the same; a layer's share of the style loss needs what the style loss does."""
    return _NEEDS.get("style_loss" if figure.startswith("style_loss_") else figure, ())
