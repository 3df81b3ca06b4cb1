"""What trainings are asked for in these tests: at 64 px, from the network that has learned nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.training.request import File, Request, make_request

SETTINGS = Settings(size=64, precision="float32")


@pytest.fixture(scope="session")
def contents(samples: Path) -> Sequence[File]:
    return [(path, sha256_of(path)) for path in sorted((samples / "images").glob("*.jpg"))]


@pytest.fixture(scope="session")
def styles(samples: Path) -> Sequence[File]:
    return [(path, sha256_of(path)) for path in sorted((samples / "styles").glob("*.jpg"))][:3]


@pytest.fixture(scope="session")
def start(small_network: Path) -> File:
    return small_network, sha256_of(small_network)


@pytest.fixture(scope="session")
def tuning(contents: Sequence[File], styles: Sequence[File], start: File) -> Request:
    """To one style, in four steps."""
    return make_request(styles[:1], contents, SETTINGS, "cpu", start, steps=4)


@pytest.fixture(scope="session")
def learning(contents: Sequence[File], styles: Sequence[File], start: File) -> Request:
    """Any style, in four steps."""
    return make_request(styles, contents, SETTINGS, "cpu", start, steps=4)
