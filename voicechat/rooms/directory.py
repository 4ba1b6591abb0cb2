"""Rooms: made when somebody enters, dropped when the last one leaves; by name, or for one alone."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, Protocol, TypeVar

MOST_ROOMS: Final = 1000
"""Rooms at once; far more than any host of friends needs, small enough to bound memory."""


class Sized(Protocol):
    """Anything that knows whether it is empty."""

    def __len__(self) -> int: ...


class Alone:
    """The key of a room that no name leads to: nobody but its first guest ever enters it."""


Key = str | Alone
"""What a room is found by."""

R = TypeVar("R", bound=Sized)


class Directory(Generic[R]):
    """At most MOST_ROOMS rooms, by key."""

    def __init__(self, make: Callable[[Key], R]) -> None:
        self._make = make
        self._rooms: dict[Key, R] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rooms.values()))

    def get(self, key: Key) -> R | None:
        """The room, if somebody is in it."""
        return self._rooms.get(key)

    def find(self, key: Key) -> R | None:
        """The room, made if it does not exist; None if there are too many."""
        room = self._rooms.get(key)
        if room is None and len(self._rooms) < MOST_ROOMS:
            room = self._rooms[key] = self._make(key)
        return room

    def tidy(self, key: Key) -> None:
        """Drop the room if it is empty."""
        room = self._rooms.get(key)
        if room is not None and not len(room):
            del self._rooms[key]
