"""Names below pictures, as people write them."""

from __future__ import annotations

import pytest

from stylebatch.tasks.gallery.names import as_written, title_of


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("photos/golden-gate_bridge.jpg", "Golden gate bridge"),
        ("s3://bucket/IMG_2034.HEIC", "IMG 2034"),
        ("van Gogh.png", "Van Gogh"),
        ("---.jpg", "---.jpg"),
        ("", ""),
    ],
)
def test_a_file_is_called_as_one_would_write_it(name: str, written: str) -> None:
    assert as_written(name) == written


def test_an_id_that_was_made_gives_way_and_one_that_was_given_stays() -> None:
    assert title_of("bridge-waves-1a2b3c4d", "Bridge", "Waves") == "Bridge · Waves"
    assert title_of("cover of May", "Bridge", "Waves") == "cover of May"
