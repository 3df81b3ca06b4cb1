"""A manifest's rows by columns: they are what they were, cell by cell."""

from __future__ import annotations

import pytest

from stylebatch.tasks.request.row_table import RowTable

ROWS: list[dict[str, object]] = [
    {"content": "a", "size": 1},
    {"style": None, "content": "b"},
    {},
    {"size": True, "x_of": [1]},
]


def test_rows_have_the_cells_that_they_were_given_and_no_others() -> None:
    table = RowTable(iter(ROWS))
    assert (len(table), list(table), [table[place] for place in range(4)]) == (4, ROWS, ROWS)
    assert table[3]["size"] is True
    assert table[-1] == ROWS[-1]
    assert list(table[1:3]) == ROWS[1:3] == list(table[1:-1])
    with pytest.raises(IndexError):
        table[4]


@pytest.mark.parametrize("rows", [[], [{}, {}]])
def test_rows_may_have_nothing(rows: list[dict[str, object]]) -> None:
    assert list(RowTable(rows)) == rows
