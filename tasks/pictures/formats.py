"""The formats that results are written in: what their files are called, and how much a side may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

FormatName = Literal["png", "jpeg", "webp"]
ENDINGS: Mapping[FormatName, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
# Pixels of a side: what the formats' own fields can count, but for JPEG, where libjpeg stops earlier.
LARGEST: Mapping[FormatName, int] = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}
