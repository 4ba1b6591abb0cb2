"""A room: participants by number, unique names, and who hears whom how loud."""

from typing import Final

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.packet import LAST_SOURCE
from voicechat.media.quality import Quality
from voicechat.wire.messages import Participant
from voicechat.wire.text import MOST_NAME

REST_TICKS: Final = 60 * TICKS_PER_SECOND
"""How long a number is not given to somebody else: as long as streams remember what they learnt."""


class Member:
    """One participant's place in the room; mutable, owned by the room."""

    def __init__(self, source: int, name: str, quality: Quality = Quality.NORMAL) -> None:
        self.source = source
        self.name = name
        self.quality = quality
        self.away = False
        self.muted = False
        self.deafened = False
        self.gains: dict[int, float] = {}
        """Gain by talker, as this listener wants it; absent is 1."""

    def participant(self) -> Participant:
        """What the others are told."""
        return Participant(self.source, self.name, self.away, self.muted, self.deafened, self.quality)

    def gain(self, talker: int) -> float:
        """How loud this member hears a talker: 0 for himself, while deafened and while away."""
        if talker == self.source or self.deafened or self.away:
            return 0.0
        return self.gains.get(talker, 1.0)


class Room:
    """The members of one room. ``now`` is in ticks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[int, Member] = {}
        self._resting: dict[int, float] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self.members)

    @property
    def present(self) -> int:
        """Members who are not away."""
        return sum(not member.away for member in self.members.values())

    def enter(self, name: str, now: float, quality: Quality = Quality.NORMAL) -> Member:
        """Seat somebody; the caller has checked that there is room. A name in use gets a number."""
        member = Member(self._number(now), self._unique(name), quality)
        self.members[member.source] = member
        return member

    def leave(self, source: int, now: float) -> None:
        """Free the seat; the number rests."""
        if self.members.pop(source, None) is not None:
            self._resting[source] = now + REST_TICKS
        for member in self.members.values():
            member.gains.pop(source, None)

    def roster(self, besides: int) -> list[Participant]:
        """Everybody else, by number."""
        return [member.participant() for source, member in sorted(self.members.items()) if source != besides]

    def _number(self, now: float) -> int:
        """The next number after the last one given that is neither taken nor resting; else the one resting longest."""
        self._resting = {source: until for source, until in self._resting.items() if until > now}
        for step in range(LAST_SOURCE):
            source = (self._last + step) % LAST_SOURCE + 1
            if source not in self.members and source not in self._resting:
                self._last = source
                return source
        free = [source for source in self._resting if source not in self.members]
        if not free:
            raise ValueError("more members than numbers")
        return min(free, key=self._resting.__getitem__)

    def _unique(self, name: str) -> str:
        taken = {member.name for member in self.members.values()}
        number, given = 1, name
        while given in taken:
            number += 1
            suffix = f" ({number})"
            kept = name.encode()[: MOST_NAME - len(suffix)].decode(errors="ignore")
            given = kept.rstrip() + suffix
        return given
