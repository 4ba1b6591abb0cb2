"""What the parts of a call tell the player: an interface, which the faces in `ui` implement.

A leaf: call, network and audio speak to it, and know no terminal.
"""

from typing import Protocol


class INotices(Protocol):
    """Takes lines for the player, one at a time; never waits."""

    def say(self, text: str) -> None:
        """Something happened."""

    def chat(self, text: str) -> None:
        """A text line of somebody."""

    def talk(self, text: str) -> None:
        """Somebody starts or stops talking."""

    def people(self, text: str) -> None:
        """Somebody came, left, or changed something about themselves."""

    def trouble(self, text: str) -> None:
        """The connection was lost, is back, or takes another way."""

    def warn(self, text: str) -> None:
        """Something is not as it should be, or the last word."""
