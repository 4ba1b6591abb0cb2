"""What a server may send in a second: counted first, looked at afterwards.

An honest server passes on what its guests may send, and is far below these limits. One
that means harm could otherwise have the client open, decode and show things for all of
a core that a game wants to have.
"""

from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.errors import WireError
from voicechat.session.bucket import Bucket

STRINGS_A_SECOND: Final = 1000.0
"""Over TCP: what 200 guests (`server.limits.MOST_SEATS`) may make others be told, each five messages a second."""

STRINGS_AT_ONCE: Final = 5000.0
"""After a standstill: a server gives a line up that has stood still for ten seconds, in which sound makes 1 000."""

DATAGRAMS_A_SECOND: Final = 200.0
DATAGRAMS_AT_ONCE: Final = 1000.0
"""What the server lets each of us send (`server.limits.Limits.datagrams_a_second`), and no listener gets more either:
a talker, and for some frames the mix beside."""


class Allowance:
    """One connection's buckets."""

    def __init__(self, clock: IReactorTime) -> None:
        now = clock.seconds()
        self._clock = clock
        self._strings = Bucket(STRINGS_A_SECOND, STRINGS_AT_ONCE, now)
        self._datagrams = Bucket(DATAGRAMS_A_SECOND, DATAGRAMS_AT_ONCE, now)
        self.passed_over = 0
        """Datagrams that opened, and were not looked at."""

    def string(self, _packet: bytes, _size: int) -> bool:
        """A string is looked at: True. WireError if there were far too many: without one the rest is wrong."""
        if self._strings.take(self._clock.seconds()):
            return True
        raise WireError("far more messages than a room makes")

    def datagram(self) -> bool:
        """Whether a datagram that opened is looked at; one left out is as good as lost."""
        if self._datagrams.take(self._clock.seconds()):
            return True
        self.passed_over += 1
        return False
