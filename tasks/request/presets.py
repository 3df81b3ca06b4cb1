"""Presets: the settings of published methods by name, as a starting point that single settings may change.

Each is written in full, so that a preset stays what it is when a default changes. Weights are in the scale of the
classic objective: mean squared differences, pictures in 0–255, Gram matrices averaged over the positions, and 1/C² in
the weight of each style layer. No preset changes what holds for every pair: Fourier coefficients instead of pixels, the
range of pixels inside the objective, L-BFGS without a line search, uniform noise, padding with the mean colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

PresetName = Literal["none", "gatys2016", "gatys2017-highres", "johnson2016"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    # Gatys, Ecker, Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016: layers, equal weights
    # of the style layers, average pooling, L-BFGS from white noise. The paper's α/β are for a network with normalised
    # activations, which is not here: the ratio, content 1 to style 1000/C², is that of the authors' code for the
    # original network, and so are the 500 evaluations and the history of 100.
    "gatys2016": {
        "size": 512,
        "steps": 500,
        "tolerance": 0,
        "objective": "classic",
        "content_weight": 0.01,
        "style_weight": 10,
        "tv_weight": 0,
        "tv_power": 1,
        "content_layers": {"relu4_2": 1},
        "style_layers": {f"relu{block}_1": 1 for block in range(1, 6)},
        "style_scale": 1,
        "scales": 1,
        "init": "noise",
        "optimizer": "lbfgs",
        "history": 100,
        "preserve_color": "none",
        "pooling": "average",
    },
    # Gatys, Ecker, Bethge, Hertzmann, Shechtman, "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017,
    # section 6: the objective of 2016 at 512 px, then at twice that. The authors' notebook takes 500 steps for the
    # first and 200 for the second; here both have the same share. How the first begins was not to be found out: here
    # with the content.
    "gatys2017-highres": {
        "size": 1024,
        "steps": 700,
        "tolerance": 0,
        "objective": "classic",
        "content_weight": 0.01,
        "style_weight": 10,
        "tv_weight": 0,
        "tv_power": 1,
        "content_layers": {"relu4_2": 1},
        "style_layers": {f"relu{block}_1": 1 for block in range(1, 6)},
        "style_scale": 1,
        "scales": 2,
        "init": "content",
        "optimizer": "lbfgs",
        "history": 100,
        "preserve_color": "none",
        "pooling": "average",
    },
    # Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016: the
    # objective, optimized for each picture as in the paper's baseline, and not by a feed-forward network. Weights 1 and
    # 5, content at relu3_3 (the text on arXiv has relu2_2), noise, and 500 steps of L-BFGS with a history of 100 are
    # those of the authors' slow_neural_style; its Gram matrices are divided by C too, which is the 1/C² here. Its total
    # variation, 1e-6 times half the sum of squared differences, is 0.3 times their mean at 512x384 pixels. The layers
    # are meant for VGG-16, whose weights have to be downloaded: `network` is left to be set beside the preset.
    "johnson2016": {
        "size": 512,
        "steps": 500,
        "tolerance": 0,
        "objective": "classic",
        "content_weight": 1,
        "style_weight": 5,
        "tv_weight": 0.3,
        "tv_power": 2,
        "content_layers": {"relu3_3": 1},
        "style_layers": {"relu1_2": 1, "relu2_2": 1, "relu3_3": 1, "relu4_3": 1},
        "style_scale": 1,
        "scales": 1,
        "init": "noise",
        "optimizer": "lbfgs",
        "history": 100,
        "preserve_color": "none",
        "pooling": "max",
    },
}


def with_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those of their ``preset`` in place of what they leave open, and no ``preset`` any more.

    An unknown preset stays, for the settings' own check to refuse it.
    """
    rest = {name: value for name, value in values.items() if name != "preset"}
    preset = values.get("preset", "none")
    if not isinstance(preset, str) or preset not in PRESETS:
        return dict(values)
    return {**PRESETS[preset], **rest}
