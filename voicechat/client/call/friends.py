"""Who is in the room, as the server tells it. Pure: messages in, lines for a person out.

A server that means harm can announce people without end; no more are kept than it may seat.
"""

from typing import Final

import msgspec

from voicechat.errors import WireError
from voicechat.media.quality import Quality
from voicechat.wire import messages as m
from voicechat.wire import shown

MOST_NAMES: Final = 200
"""Names kept, of who is here and of who has left: as many as a server may seat (`server.limits.MOST_SEATS`)."""


class Friends:
    """The roster, by source number."""

    def __init__(self) -> None:
        self._me = 0
        self._by_source: dict[int, m.Participant] = {}
        self._names: dict[int, str] = {}
        self._talking: set[int] = set()
        self._late: dict[int, tuple[int, int]] = {}

    @property
    def talking(self) -> list[str]:
        """Names of those who talk now."""
        return [self.name(source) for source in sorted(self._talking)]

    @property
    def people(self) -> list[m.Participant]:
        """Everybody else in the room, by number."""
        return [person for _, person in sorted(self._by_source.items())]

    def lateness(self, source: int) -> tuple[int, int] | None:
        """Milliseconds between them and the server, and in its buffer where it mixes; None while not known."""
        return self._late.get(source)

    def talks(self, source: int) -> bool:
        """Whether this one talks now."""
        return source in self._talking

    @property
    def listening(self) -> bool:
        """Somebody is here to hear us: not away, not deafened."""
        return any(not (person.away or person.deafened) for person in self._by_source.values())

    def name(self, source: int) -> str:
        """A participant's name, also of one who left; a number if they were never announced."""
        return self._names.get(source, f"#{source}")

    def shown(self, source: int) -> str:
        """The same as it stands in a line."""
        return shown.named(self._names[source]) if source in self._names else self.name(source)

    def welcome(self, message: m.Welcome) -> str:
        """We are in."""
        self._me = message.source
        self._by_source.clear()
        self.disconnected()
        for person in message.roster:
            self._add(person)
        others = ", ".join(_shown(person) for person in message.roster)
        company = f", with {others}" if others else "; nobody else is here yet"
        return f"you are in as {shown.isolated(message.name)}{company}"

    def disconnected(self) -> None:
        """The connection is gone: nobody is known to talk, or how late."""
        self._talking.clear()
        self._late.clear()

    def learn(self, message: m.Message) -> str | None:
        """What a message tells; a line for the user, or None if it is not worth one, as news of nobody is not.

        WireError if there are more people than there can be.
        """
        if isinstance(message, m.Joined):
            self._add(message.participant)
            return f"{_shown(message.participant)} joined"
        return self._learn(message) if getattr(message, "source", 0) in self._names else None

    def _learn(self, message: m.Message) -> str | None:
        match message:
            case m.Left(source, reason):
                self._by_source.pop(source, None)
                self._late.pop(source, None)
                self._talking.discard(source)
                return f"{self.shown(source)} left" + (f" ({reason})" if reason else "")
            case m.Away(source):
                self._talking.discard(source)
                self._change(source, away=True)
                return f"{self.shown(source)} is away (line broken)"
            case m.Back(source):
                self._change(source, away=False)
                return f"{self.shown(source)} is back"
            case m.Talk(source, talking, way_ms, held_ms):
                if way_ms is not None:
                    self._late[source] = way_ms, held_ms or 0
                (self._talking.add if talking else self._talking.discard)(source)
                return f"{self.shown(source)} {'talks' if talking else 'stops'}"
            case m.State(muted, deafened, source):
                before = self._by_source.get(source)
                self._change(source, muted=muted, deafened=deafened)
                if not (muted or deafened):
                    return f"{self.shown(source)} {'listens again' if before and before.deafened else 'is unmuted'}"
                return f"{self.shown(source)} is {'deafened' if deafened else 'muted'}"
        return None

    def _add(self, person: m.Participant) -> None:
        """Somebody is here. Who left longest ago is forgotten, if there are too many names."""
        if person.source == self._me:
            raise WireError("the server took us for somebody else")
        if person.source not in self._by_source and len(self._by_source) >= MOST_NAMES:
            raise WireError("more people than a server may seat")
        self._by_source[person.source] = person
        self._names.pop(person.source, None)
        self._names[person.source] = person.name
        while len(self._names) > MOST_NAMES:
            gone = next(source for source in self._names if source not in self._by_source)
            del self._names[gone]
            self._late.pop(gone, None)
            self._talking.discard(gone)

    def _change(self, source: int, **fields: bool) -> None:
        person = self._by_source.get(source)
        if person is not None:
            self._by_source[source] = msgspec.structs.replace(person, **fields)


def _shown(person: m.Participant) -> str:
    """A name, and what is not as usual with them."""
    unusual = ["away"] * person.away + [f"{person.quality.value} quality"] * (person.quality is not Quality.NORMAL)
    return shown.named(person.name) + (f" ({', '.join(unusual)})" if unusual else "")
