"""Settings of some rows, to JSON and back."""

from __future__ import annotations

import json

from stylebatch.tasks.runs.changes import from_json, to_json


def test_changes_come_back_as_they_were() -> None:
    changes = {3: {"size": "64"}, 1: {"size": "64"}, 2: {"size": "64"}, 7: {"size": "64"}, 5: {"steps": "9"}, 6: {}}
    groups = to_json(changes)
    assert groups == [{"set": {"size": "64"}, "rows": [[1, 3], [7, 7]]}, {"set": {"steps": "9"}, "rows": [[5, 5]]}]
    assert from_json(json.loads(json.dumps(groups))) == {row: one for row, one in changes.items() if one}
