"""Rooms by name: made when somebody enters, dropped when the last one leaves."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, Protocol, TypeVar

MOST_ROOMS: Final = 1000
"""Rooms at once; far more than any host of friends needs, small enough to bound memory."""


class Sized(Protocol):
    """Anything that knows whether it is empty."""

    def __len__(self) -> int: ...


R = TypeVar("R", bound=Sized)


class Directory(Generic[R]):
    """At most MOST_ROOMS rooms, by name."""

    def __init__(self, make: Callable[[str], R]) -> None:
        self._make = make
        self._rooms: dict[str, R] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rooms.values()))

    def get(self, name: str) -> R | None:
        """The room, if somebody is in it."""
        return self._rooms.get(name)

    def find(self, name: str) -> R | None:
        """The room, made if it does not exist; None if there are too many."""
        room = self._rooms.get(name)
        if room is None and len(self._rooms) < MOST_ROOMS:
            room = self._rooms[name] = self._make(name)
        return room

    def tidy(self, name: str) -> None:
        """Drop the room if it is empty."""
        room = self._rooms.get(name)
        if room is not None and not len(room):
            del self._rooms[name]
