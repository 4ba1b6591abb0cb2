"""Controls: what a player can do to his own call, and what he can know of it.

The screen, voicechat-ctl and the keyboard's keys all come here. No terminal, no
socket and no words for them live here: methods take plain values, `status` gives
plain values, and whatever cannot be done is a ControlError whose text is one line
for a person. Everything is called on the reactor's thread.

Muted: nothing of us is sent. Deafened: nothing is sent to us, nothing is played, and
we are muted, too; afterwards it is as it was before. The room is told of both, again
after each entering.

The key (push to talk) is held, or latched by `ptt_toggle`. What it does depends on Talk.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

import msgspec
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from voicechat.client.call.call import Call, Said
from voicechat.client.call.estimate import delay_ms
from voicechat.client.call.voice import Suppress
from voicechat.client.call.volumes import LOUDEST_DB, SOFTEST_DB, Volumes
from voicechat.client.network.outage import Outage
from voicechat.errors import ConfigError, ControlError, WireError
from voicechat.format import TICK_MS
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.levels import dbfs_of, gain_of
from voicechat.media.quality import Quality
from voicechat.wire import messages, shown, text

STUCK: Final = 120.0
"""Seconds after which a held key is taken to be stuck: nobody talks for two minutes without letting go, and a key whose
release was lost (another window took it) must not leave the microphone open for an evening."""

LINES_AT_ONCE: Final = 5
"""Text lines in as many seconds: what the server passes on (`text_burst`, `text_a_second`); it drops more unsaid."""

SAVE_AFTER: Final = 2.0
"""Seconds after the last change of a volume until it is written: a key that is held writes once."""


class Talk(Enum):
    """What opens the microphone."""

    VOICE = "voice"
    """Voice does; the key opens it at once."""
    PUSH = "push"
    """The key alone does: push to talk."""
    PUSH_TO_MUTE = "push-to-mute"
    """Voice does, but not while the key is held."""


class FriendStatus(msgspec.Struct, frozen=True):
    """Somebody else in the room."""

    source: int
    name: str
    talks: bool
    away: bool
    muted: bool
    deafened: bool
    volume_db: float | None
    """How loud he is for me; None: muted for me."""
    delay_ms: float | None
    """Estimated, from his mouth to my ear; None while it is not known."""
    unknown: bool = False
    """Nobody knows: there is an outage. Who was here, when it began."""
    quality: Quality = Quality.NORMAL
    """What he chose."""


class Status(msgspec.Struct, frozen=True):
    """Everything that a player may want to know now."""

    connected: bool
    name: str
    room: str
    path: str
    """'udp' or 'tcp': the way that our sound takes."""
    talk: str
    """A value of Talk."""
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
    messages: list[Said]
    """Text lines, the newest last."""
    path_in: str | None = None
    """'udp' or 'tcp': the way that the others' sound took last; None before any came."""
    outage: Outage | None = None
    """Nobody hears us."""


class Controls:
    """One player's hands. ``quit_call`` ends the call; ``say_line`` tells the player something."""

    def __init__(
        self,
        clock: IReactorTime,
        call: Call,
        gate: TalkGate,
        volumes: Volumes,
        quit_call: Callable[[], None],
        talk: Talk = Talk.VOICE,
    ) -> None:
        self._clock = clock
        self._call = call
        self._gate = gate
        self._volumes = volumes
        self._quit = quit_call
        self.talk = talk
        self.muted = False
        self.deafened = False
        self.key_held = False
        self._muted_before = False
        """Muted when `deafen` came."""
        self._stated = False
        """The room was told something else than that we talk and listen."""
        self._stuck_call: IDelayedCall | None = None
        self._save_call: IDelayedCall | None = None
        self._lines: deque[float] = deque(maxlen=LINES_AT_ONCE)
        self._watchers: list[Callable[[], None]] = []
        call.on_change = self._changed
        call.on_entered = self._entered
        call.on_joined = self._apply_volume
        self._set_gate()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have ``watcher`` called when anything that `status` tells may have changed, levels and times aside."""
        self._watchers.append(watcher)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    # -- mute, deafen -----------------------------------------------------------------

    def mute(self) -> None:
        """Send nothing from now on, also after being undeafened."""
        self._muted_before = True
        self._set_state(muted=True, deafened=self.deafened)

    def unmute(self) -> None:
        """Be heard again; whoever is deafened listens again, too."""
        self._set_state(muted=False, deafened=False)

    def toggle_mute(self) -> None:
        """Mute, or unmute."""
        (self.unmute if self.muted else self.mute)()

    def deafen(self) -> None:
        """Hear nothing, and be muted, too."""
        if not self.deafened:
            self._muted_before = self.muted
            self._set_state(muted=True, deafened=True)

    def undeafen(self) -> None:
        """Listen again; muted is as it was before."""
        if self.deafened:
            self._set_state(muted=self._muted_before, deafened=False)

    def toggle_deafen(self) -> None:
        """Deafen, or undeafen."""
        (self.undeafen if self.deafened else self.deafen)()

    def _set_state(self, *, muted: bool, deafened: bool) -> None:
        if (muted, deafened) == (self.muted, self.deafened):
            return
        if deafened != self.deafened:
            self._call.deafen(deafened)
        self.muted, self.deafened = muted, deafened
        self._set_gate()
        self._tell_state()
        self._changed()

    def _tell_state(self) -> None:
        self._stated = True
        self._call.send(messages.State(self.muted, self.deafened))

    # -- the key ------------------------------------------------------------------------

    def ptt_down(self) -> None:
        """The key is pressed, or still held: keyboards repeat."""
        self._stop_waiting()
        self._stuck_call = self._clock.callLater(STUCK, self._stuck)
        self._hold(True)

    def ptt_up(self) -> None:
        """The key is let go."""
        self._stop_waiting()
        self._hold(False)

    def ptt_toggle(self) -> None:
        """Hold the key until the next time, or let go."""
        self._stop_waiting()
        self._hold(not self.key_held)

    def _stuck(self) -> None:
        self._hold(False)
        self._call.tell(f"the key was held for {STUCK:.0f} s and is taken to be stuck: let go and press it again")

    def _hold(self, held: bool) -> None:
        if held != self.key_held:
            self.key_held = held
            self._set_gate()
            self._changed()

    def _stop_waiting(self) -> None:
        if self._stuck_call is not None and self._stuck_call.active():
            self._stuck_call.cancel()

    def _set_gate(self) -> None:
        if self.muted:
            mode = GateMode.MUTED
        elif self.talk is Talk.PUSH_TO_MUTE:
            mode = GateMode.MUTED if self.key_held else GateMode.VOICE
        elif self.key_held:
            mode = GateMode.OPEN
        else:
            mode = GateMode.SHUT if self.talk is Talk.PUSH else GateMode.VOICE
        self._gate.mode = mode

    # -- our voice ------------------------------------------------------------------------

    @property
    def suppressed(self) -> Suppress:
        """How much noise suppression is on."""
        return self._call.voice.suppressed

    def suppress(self, mode: str) -> None:
        """Noise suppression: off, light or strong."""
        try:
            wanted = Suppress(mode)
        except ValueError:
            raise ControlError("noise suppression is off, light or strong") from None
        self._call.voice.suppress(wanted)
        self._changed()

    def next_suppress(self) -> None:
        """The one key: the next of off, light and strong, and off again; and say which."""
        modes = list(Suppress)
        before = self.suppressed
        self.suppress(modes[(modes.index(before) + 1) % len(modes)].value)
        if self.suppressed is before:
            self.suppress(Suppress.OFF.value)  # strong is missing, light was on already
        self._call.tell(f"noise suppression: {self.suppressed.value}")

    # -- friends ------------------------------------------------------------------------

    @property
    def talking(self) -> bool:
        """The gate is open."""
        return self._call.talking

    def volume(self, name: str, db: float | None) -> None:
        """Make a friend louder or softer for me, by ``db`` in SOFTEST_DB..LOUDEST_DB; None mutes him for me.

        They are found by their name, whatever its case, and need not be here if a volume of theirs is remembered.
        """
        if db is not None and not SOFTEST_DB <= db <= LOUDEST_DB:
            raise ControlError(f"a volume is {SOFTEST_DB:.0f} to {LOUDEST_DB:+.0f} dB")
        known = self._known(name)
        self._volumes.set(known, db)
        if self._save_call is not None and self._save_call.active():
            self._save_call.reset(SAVE_AFTER)
        else:
            self._save_call = self._clock.callLater(SAVE_AFTER, self._save)
        for person in self._call.friends.people:
            if person.name == known:
                self._apply_volume(person)
        self._changed()

    def _save(self) -> None:
        self._save_call = None
        try:
            self._volumes.save()
        except ConfigError as error:
            self._call.tell(str(error))

    def volumes(self) -> dict[str, float | None]:
        """The friends whose volume is not 0 dB, here or not; None: muted for me."""
        return {name: db for name, db in self._volumes.items() if db != 0}

    def _known(self, name: str) -> str:
        here = [person.name for person in self._call.friends.people]
        names = dict.fromkeys(here + [known for known, _ in self._volumes.items()])
        if name in names:
            return name
        alike = [known for known in names if text.likeness(known) == text.likeness(name)]
        if len(alike) == 1:
            return alike[0]
        named = ", ".join(map(shown.named, here))
        raise ControlError(f"nobody is called {shown.quoted(name)}; here: {named or 'nobody'}")

    def _apply_volume(self, person: messages.Participant) -> None:
        """Tell the server for its mixes, and ourselves for what is forwarded, if there is anything to tell."""
        if person.name in self._volumes:
            db = self._volumes.get(person.name)
            gain = 0.0 if db is None else gain_of(db)
            self._call.hearing.set_gain(person.source, gain)
            self._call.send(messages.Gain(person.source, gain))

    # -- words --------------------------------------------------------------------------

    def say(self, line: str) -> None:
        """A text line to the others in the room."""
        try:
            line = text.line(line)
        except WireError as error:
            raise ControlError(str(error)) from None
        if not self._call.connected:
            raise ControlError("not connected: the line was not sent")
        now = self._clock.seconds()
        if len(self._lines) == LINES_AT_ONCE and now - self._lines[0] < LINES_AT_ONCE:
            raise ControlError("too many lines at once: wait some seconds")
        self._lines.append(now)
        self._call.send(messages.Text(line))
        self._call.said(self._call.name, line)

    def retry(self) -> None:
        """Try now to connect again, where the line broke or the server does not answer."""
        if self._call.recovery is None:
            raise ControlError("there is nothing to try again")
        self._call.recovery.try_now()

    def quit(self) -> None:
        """Leave, as after Ctrl-C but with exit code 0."""
        self._quit()

    def stop(self) -> None:
        """The call is over: nothing is waited for any more, what was changed is written."""
        self._stop_waiting()
        if self._save_call is not None and self._save_call.active():
            self._save_call.cancel()
            self._save()

    # -- the room -----------------------------------------------------------------------

    def _entered(self) -> None:
        """In the room, again perhaps: it knows nothing, or what was so before the line broke."""
        if self._stated or self.muted:
            self._tell_state()
        for person in self._call.friends.people:
            self._apply_volume(person)
        self._changed()

    def status(self) -> Status:
        """How things stand now."""
        call = self._call
        outage = None if call.recovery is None else call.recovery.outage()
        round_trip = call.round_trip if call.connected and outage is None else None
        return Status(
            connected=call.connected,
            name=call.name,
            room=call.room,
            path=call.path,
            talk=self.talk.value,
            key_held=self.key_held,
            muted=self.muted,
            deafened=self.deafened,
            talking=call.talking,
            level_dbfs=round(dbfs_of(call.level), 1),
            opens_at_dbfs=round(dbfs_of(self._gate.opens_at), 1),
            playout_ms=round(call.hearing.held * TICK_MS, 1),
            round_trip_ms=None if round_trip is None else round(round_trip * 1000, 1),
            loss_percent=round(call.loss * 100, 1),
            friends=[self._friend(person, unknown=outage is not None) for person in call.friends.people],
            messages=list(call.messages),
            path_in=call.ways.back,
            outage=outage,
        )

    def _friend(self, person: messages.Participant, *, unknown: bool) -> FriendStatus:
        return FriendStatus(
            source=person.source,
            name=person.name,
            talks=not unknown and self._call.friends.talks(person.source),
            away=person.away,
            muted=person.muted,
            deafened=person.deafened,
            volume_db=self._volumes.get(person.name),
            delay_ms=None if unknown else self._delay(person),
            unknown=unknown,
            quality=person.quality,
        )

    def _delay(self, person: messages.Participant) -> float | None:
        """How late he is heard, in milliseconds, as far as we know."""
        late, round_trip = self._call.friends.lateness(person.source), self._call.round_trip
        if late is None or round_trip is None:
            return None
        hearing = self._call.hearing
        return delay_ms(
            his_way_ms=late[0],
            our_way_ms=round_trip * 1000 / 2,
            playout_ms=hearing.held * TICK_MS,
            mixed=late[1] if hearing.mixed else None,
            pairs=person.quality.pairs,
        )
