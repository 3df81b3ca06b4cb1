"""Where the pictures are that a report names."""

from __future__ import annotations

from dataclasses import dataclass, field

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.request.collections import members, pattern_of
from stylebatch.tasks.request.styles import styles_of
from stylebatch.tasks.storage.places import Place, original


@dataclass(frozen=True)
class Sources:
    """What the names are relative to, and whether they may be on the web. What is gone has a place too."""

    folder: Place
    allow_http: bool = False
    _members: dict[str, tuple[Place, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, name: str) -> Place:
        """The place of a picture."""
        return original(self.folder, name, self.allow_http)

    def members(self, style: str) -> tuple[Place, ...]:
        """The pictures of a style that is a collection, as they are now; none of any other."""
        if pattern_of(style) and style not in self._members:
            try:
                self._members[style] = tuple(map(self, members(self.folder, style)))
            except BadInput:
                self._members[style] = ()
        return self._members.get(style, ())

    def weighted(self, styles: str) -> list[tuple[Place, float]]:
        """All pictures of a report's text of styles, each with its weight."""
        found: list[tuple[Place, float]] = []
        for style in styles_of(styles):
            if pattern_of(style.name):
                found += [(place, 1.0) for place in self.members(style.name)]
            else:
                found.append((self(style.name), style.weight))
        return found
