"""How things stand: one value that the screen, voicechat-ctl and the hot key read, made of the call's parts. Pure."""

import msgspec

from voicechat.client.audio.devices import Opened
from voicechat.client.call.call import Call
from voicechat.client.call.chat import ChatMessage
from voicechat.client.call.estimate import delay_ms
from voicechat.client.call.transmit import MuteState, TransmitMode
from voicechat.client.call.volumes import Volumes
from voicechat.client.network.outage import Outage
from voicechat.format import TICK_MS
from voicechat.media.gate import TalkGate
from voicechat.media.levels import dbfs_of
from voicechat.media.quality import Quality
from voicechat.wire import messages


class FriendStatus(msgspec.Struct, frozen=True):
    """Somebody else in the room."""

    source: int
    name: str
    talks: bool
    away: bool
    muted: bool
    deafened: bool
    volume_db: float | None
    """How loud they are for me; None: muted for me."""
    delay_ms: float | None
    """Estimated, from their mouth to my ear; None while it is not known."""
    unknown: bool = False
    """Nobody knows: there is an outage. Who was here, when it began."""
    quality: Quality = Quality.NORMAL
    """What they chose."""


class Status(msgspec.Struct, frozen=True):
    """Everything that a player may want to know now."""

    connected: bool
    name: str
    room: str
    path: str
    """'udp' or 'tcp': the way that our sound takes."""
    talk: str
    """A value of TransmitMode."""
    key_held: bool
    muted: bool
    deafened: bool
    talking: bool
    """The gate is open."""
    level_dbfs: float
    """Of the microphone's last frame."""
    opens_at_dbfs: float
    """The level that opens the gate, where voice does."""
    playout_ms: float
    round_trip_ms: float | None
    loss_percent: float
    """Of what comes to us, over the last seconds in which something came; 0 over TCP."""
    friends: list[FriendStatus]
    messages: list[ChatMessage]
    """Text lines, the newest last."""
    path_in: str | None = None
    """'udp' or 'tcp': the way that the others' sound took last; None before any came."""
    outage: Outage | None = None
    """Nobody hears us."""
    server: str = ""
    """As the player named it."""
    suppress: str = "off"
    """A value of Suppress."""
    echo: str = "off"
    """What the echo canceller does: off, awake, asleep, half duplex."""
    unheard: bool = False
    """Whoever is muted has talked since."""
    microphone: str = ""
    """The card that is in use; '' for none."""
    lacks: list[str] = []
    """'microphone', 'loudspeaker': there is none, though one is wanted."""


def status_of(
    call: Call,
    gate: TalkGate,
    volumes: Volumes,
    mode: TransmitMode,
    mute: MuteState,
    *,
    key_held: bool,
    unheard: bool,
    opened: Opened,
) -> Status:
    """How things stand now."""
    outage = None if call.recovery is None else call.recovery.outage()
    round_trip = call.measured.round_trip if call.connected and outage is None else None
    return Status(
        connected=call.connected,
        name=call.name,
        room=call.room,
        path=call.path,
        talk=mode.value,
        key_held=key_held,
        muted=mute.muted,
        deafened=mute.deafened,
        talking=call.talking,
        level_dbfs=round(dbfs_of(call.level), 1),
        opens_at_dbfs=round(dbfs_of(gate.opens_at), 1),
        playout_ms=round(call.hearing.held * TICK_MS, 1),
        round_trip_ms=None if round_trip is None else round(round_trip * 1000, 1),
        loss_percent=round(call.measured.loss * 100, 1),
        friends=[_friend(call, volumes, person, unknown=outage is not None) for person in call.friends.people],
        messages=list(call.chat.messages),
        path_in=call.ways.back,
        outage=outage,
        server=call.server,
        suppress=call.voice.suppressed.value,
        echo=call.cancelling.works,
        unheard=unheard,
        microphone=opened.microphone or "",
        lacks=[missing.what for missing in opened.missing if missing.instead is None],
    )


def _friend(call: Call, volumes: Volumes, person: messages.Participant, *, unknown: bool) -> FriendStatus:
    return FriendStatus(
        source=person.source,
        name=person.name,
        talks=not unknown and call.friends.talks(person.source),
        away=person.away,
        muted=person.muted,
        deafened=person.deafened,
        volume_db=volumes.get(person.name),
        delay_ms=None if unknown else _delay(call, person),
        unknown=unknown,
        quality=person.quality,
    )


def _delay(call: Call, person: messages.Participant) -> float | None:
    """How late they are heard, in milliseconds, as far as we know."""
    late, round_trip = call.friends.lateness(person.source), call.measured.round_trip
    if late is None or round_trip is None:
        return None
    return delay_ms(
        their_way_ms=late[0],
        our_way_ms=round_trip * 1000 / 2,
        playout_ms=call.hearing.held * TICK_MS,
        mixed=late[1] if call.hearing.mixed else None,
        pairs=person.quality.pairs,
    )
