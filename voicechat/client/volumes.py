"""Volumes: how loud each friend is for me, by his name."""

from collections.abc import Iterator
from typing import Final

MOST_NAMES: Final = 200
"""Names remembered; the one set longest ago is forgotten first. More friends than anybody has."""


class Volumes:
    """In dB by name; None is muted for me, 0 for whom nothing was said."""

    def __init__(self) -> None:
        self._by_name: dict[str, float | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> float | None:
        """A friend's volume."""
        return self._by_name.get(name, 0.0)

    def items(self) -> Iterator[tuple[str, float | None]]:
        """All that was set, 0 dB too, in the order in which it was."""
        return iter(list(self._by_name.items()))

    def set(self, name: str, db: float | None) -> None:
        """Remember a friend's volume."""
        self._by_name.pop(name, None)
        self._by_name[name] = db
        while len(self._by_name) > MOST_NAMES:
            del self._by_name[next(iter(self._by_name))]
