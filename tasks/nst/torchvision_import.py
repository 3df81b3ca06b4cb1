"""Importing torchvision, also where its compiled part does not fit the torch that is installed.

The package index has torchvision for the CUDA build of torch. Beside the CPU build its compiled extension does not
load; torchvision takes that silently, and then fails at describing two operators, for detection, that the extension
would have defined. Style transfer has no use for them. Where the extension does not load, their signatures are defined
here beforehand, without anything behind them, and the rest of torchvision, which is plain Python, works.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import library

OPERATORS = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def torchvision_models() -> Any:
    """The module ``torchvision.models``, imported at the first call: it takes more than a second."""
    if not _extension_loads():
        for operator in OPERATORS:
            library.define(f"torchvision::{operator}", SIGNATURE)
    from torchvision import models

    return models


def _extension_loads() -> bool:
    package = find_spec("torchvision")  # found, not imported
    try:
        for folder in (package and package.submodule_search_locations) or ():
            for extension in Path(folder).glob("_C.*"):
                torch.ops.load_library(extension)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True
