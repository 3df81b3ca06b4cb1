"""Settings as a manifest's cells have them."""

from __future__ import annotations

from stylebatch.tasks.request.cells import as_text


def test_a_number_is_written_so_that_it_is_the_same_when_it_is_read() -> None:
    assert [as_text(value) for value in (10.0, 0.01, 0.123456789, 1e-5)] == ["10", "0.01", "0.123456789", "1e-05"]
