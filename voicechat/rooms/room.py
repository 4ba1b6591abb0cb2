"""A room: participants by number, unique names, and who hears whom how loud."""

from typing import Final

from voicechat.format import TICKS_PER_SECOND
from voicechat.media.packet import LAST_SOURCE
from voicechat.media.quality import Quality
from voicechat.wire import older, text
from voicechat.wire.messages import Participant

REST_TICKS: Final = 60 * TICKS_PER_SECOND
"""How long a number is not given to somebody else: as long as streams remember what they learnt."""


class Member:
    """One participant's place in the room; mutable, owned by the room."""

    def __init__(self, source: int, name: str, quality: Quality = Quality.NORMAL, older_name: str = "") -> None:
        self.source = source
        self.name = name
        self.older_name = older_name or name
        """As 0.1.0 takes it; unique in the room, too."""
        self.likenesses = text.likeness(self.name), text.likeness(self.older_name)
        """What no other name in the room may have, and none of 0.1.0's: kept, since a room may have two hundred."""
        self.quality = quality
        self.away = False
        self.muted = False
        self.deafened = False
        self.gains: dict[int, float] = {}
        """Gain by talker, as this listener wants it; absent is 1."""

    def called(self, *, letters: bool) -> str:
        """The name, for one who takes what is counted in letters, or for one of 0.1.0."""
        return self.name if letters else self.older_name

    def participant(self, *, letters: bool = True) -> Participant:
        """What the others are told; ``letters`` as in `called`."""
        name = self.called(letters=letters)
        return Participant(self.source, name, self.away, self.muted, self.deafened, self.quality)

    def gain(self, talker: int) -> float:
        """How loud this member hears a talker: 0 for themselves, while deafened and while away."""
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
        """Seat somebody; the caller has checked that there is room. A name like one in use gets a number."""
        members = self.members.values()
        given = text.distinct(name, {member.likenesses[0] for member in members}, text.short_name)
        older_name = text.distinct(older.name(given), {member.likenesses[1] for member in members}, older.name)
        member = Member(self._number(now), given, quality, older_name)
        self.members[member.source] = member
        return member

    def leave(self, source: int, now: float) -> None:
        """Free the seat; the number rests."""
        if self.members.pop(source, None) is not None:
            self._resting[source] = now + REST_TICKS
        for member in self.members.values():
            member.gains.pop(source, None)

    def roster(self, besides: int, *, letters: bool = True) -> list[Participant]:
        """Everybody else, by number; ``letters`` as in `Member.called`."""
        members = sorted(self.members.items())
        return [member.participant(letters=letters) for source, member in members if source != besides]

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
