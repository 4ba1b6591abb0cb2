"""What a server may send in a second: counted first, looked at afterwards.

An honest server passes on what its guests may send, and is far below these limits. One
that means harm could otherwise have the client open, decode and show things for all of
a core that a game wants to have.
"""

from collections.abc import Callable
from typing import Final

from voicechat.errors import WireError
from voicechat.session.bucket import Bucket
from voicechat.wire.media import is_media

MESSAGES_A_SECOND: Final = 1000.0
"""Of the room: what 200 guests (`server.limits.MOST_SEATS`) may make others be told, each five a second."""

MESSAGES_AT_ONCE: Final = 5000.0
"""After a standstill: a connection that stands still for ten seconds is given up, and no room says so much."""

PACKETS_A_SECOND: Final = 200.0
"""Sound over TCP, and datagrams of whatever type: what the server lets each of us send
(`server.limits.Limits.datagrams_a_second`). No listener gets more: a talker, and for some frames the mix beside."""

PACKETS_AT_ONCE: Final = 1000.0
"""After such a standstill: ten seconds of sound, twice over."""


FLOOD: Final = 100
"""Strings of sound left out, after each of which it is told that there is a flood of them."""


class ServerAllowance:
    """One connection's buckets. ``flooded`` is called in a flood of strings, so that less is read."""

    def __init__(self, now: float, flooded: Callable[[], None] = lambda: None) -> None:
        self._flooded = flooded
        self._messages = Bucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE, now)
        self._sound = Bucket(PACKETS_A_SECOND, PACKETS_AT_ONCE, now)
        self._datagrams = Bucket(PACKETS_A_SECOND, PACKETS_AT_ONCE, now)
        self.passed_over = 0
        """Packets that opened, and were not looked at."""
        self._strings_passed_over = 0

    def string(self, now: float, packet: bytes, size: int) -> bool:
        """Whether a string that opened is looked at. Sound that is left out is as good as lost.

        WireError if there were far too many messages: without one of them the later ones are wrong.
        """
        if is_media(packet):
            if self._taken(self._sound, now):
                return True
            self._strings_passed_over += 1
            if self._strings_passed_over % FLOOD == 0:
                self._flooded()
            return False
        if self._messages.take(now):
            return True
        raise WireError("far more messages than a room makes")

    def datagram(self, now: float) -> bool:
        """Whether a datagram that opened is looked at; one left out is as good as lost."""
        return self._taken(self._datagrams, now)

    def media(self, now: float, size: int) -> bool:
        """All media of the datagrams that are looked at."""
        return True

    def ping(self, now: float) -> bool:
        """All pings are answered: they are counted as messages."""
        return True

    def _taken(self, bucket: Bucket, now: float) -> bool:
        if bucket.take(now):
            return True
        self.passed_over += 1
        return False
