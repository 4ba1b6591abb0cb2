"""Controls: what a player can do to their own call, and what they can know of it.

The screen, voicechat-ctl and the keyboard's keys all come here. No terminal, no
socket and no words for them live here: methods take plain values, `status` gives
plain values, and whatever cannot be done is a ControlError whose text is one line
for a person. Everything is called on the reactor's thread.

What mute, deafen and the key (push to talk) do stands in the tables of `transmit`. The
room is told of mute and deafen, again after each entering. The key is held, or latched
by `ptt_toggle`.
"""

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer
from voicechat.client.audio.devices import Opened
from voicechat.client.call import transmit
from voicechat.client.call.call import Call
from voicechat.client.call.friendvolumes import FriendVolumes
from voicechat.client.call.status import Status, status_of
from voicechat.client.call.transmit import MuteState, TransmitMode, Wish
from voicechat.client.call.voice import Suppress
from voicechat.client.call.volumes import Volumes
from voicechat.errors import ControlError, WireError
from voicechat.media.gate import TalkGate
from voicechat.wire import messages, text

STUCK: Final = 120.0
"""Seconds after which a held key is taken to be stuck: nobody talks for two minutes without letting go, and a key whose
release was lost (another window took it) must not leave the microphone open for an evening."""

NOTHING: Final = Opened(None, None, ())
"""No device is known of."""


class Controls:
    """One player's hands. ``quit_call`` ends the call, ``volumes`` remembers how loud each friend is."""

    def __init__(
        self,
        clock: IReactorTime,
        call: Call,
        gate: TalkGate,
        volumes: Volumes,
        quit_call: Callable[[], None],
        mode: TransmitMode = TransmitMode.VOICE,
    ) -> None:
        self._call = call
        self._gate = gate
        self._volumes = FriendVolumes(clock, call, volumes)
        self._quit = quit_call
        self._mode = mode
        self._mute = MuteState.ACTIVE
        self.key_held = False
        self._stated = False
        """The room was sent something else than that we talk and listen."""
        self._sticking = Timer(clock, self._stuck)
        self.opened: Callable[[], Opened] = lambda: NOTHING
        """The devices in use."""
        self._missing_told = False
        """It was told what strong suppression needs."""
        self.unheard = False
        """Whoever is muted has talked since."""
        self._watchers: list[Callable[[], None]] = []
        call.on_change = self._changed
        call.on_entered = self._entered
        call.on_joined = self._volumes.apply
        call.on_unheard = self._talks_unheard
        self._set_gate()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have ``watcher`` called when anything that `status` tells may have changed, levels and times aside."""
        self._watchers.append(watcher)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    def status(self) -> Status:
        """How things stand now."""
        return status_of(
            self._call,
            self._gate,
            self._volumes.kept,
            self._mode,
            self._mute,
            key_held=self.key_held,
            unheard=self.unheard,
            opened=self.opened(),
        )

    # -- mute, deafen -----------------------------------------------------------------

    @property
    def muted(self) -> bool:
        """Nothing of us is sent."""
        return self._mute.muted

    @property
    def deafened(self) -> bool:
        """Nothing is sent to us."""
        return self._mute.deafened

    def mute(self) -> None:
        """Send nothing from now on, also after being undeafened."""
        self._wish(Wish.MUTE)

    def unmute(self) -> None:
        """Be heard again; whoever is deafened listens again, too."""
        self._wish(Wish.UNMUTE)

    def toggle_mute(self) -> None:
        """Mute, or unmute."""
        (self.unmute if self.muted else self.mute)()

    def deafen(self) -> None:
        """Hear nothing, and be muted, too."""
        self._wish(Wish.DEAFEN)

    def undeafen(self) -> None:
        """Listen again; muted is as it was before."""
        self._wish(Wish.UNDEAFEN)

    def toggle_deafen(self) -> None:
        """Deafen, or undeafen."""
        (self.undeafen if self.deafened else self.deafen)()

    def _wish(self, wish: Wish) -> None:
        before, self._mute = self._mute, transmit.after(self._mute, wish)
        if (before.muted, before.deafened) == (self.muted, self.deafened):
            return  # nobody else sees a difference
        if before.deafened != self.deafened:
            self._call.deafen(self.deafened)
        self.unheard = False
        self._set_gate()
        self._send_state()
        self._changed()

    def _talks_unheard(self) -> None:
        if self.muted and not self.unheard:  # else it is the key that mutes
            self.unheard = True
            self._call.chat.notices.warn("you talk, but are muted: nobody hears you")
            self._changed()

    def _send_state(self) -> None:
        self._stated = True
        self._call.send(messages.State(self.muted, self.deafened))

    def _entered(self) -> None:
        """In the room, again perhaps: it knows nothing, or what was so before the connection broke."""
        if self._stated or self.muted:
            self._send_state()
        for person in self._call.friends.people:
            self._volumes.apply(person)
        self._changed()

    # -- the key ------------------------------------------------------------------------

    def ptt_down(self) -> None:
        """The key is pressed, or still held: keyboards repeat."""
        self._sticking.start(STUCK)
        self._hold(True)

    def ptt_up(self) -> None:
        """The key is let go."""
        self._sticking.stop()
        self._hold(False)

    def ptt_toggle(self) -> None:
        """Hold the key until the next time, or let go."""
        self._sticking.stop()
        self._hold(not self.key_held)

    def _stuck(self) -> None:
        self._hold(False)
        self._call.chat.notify(
            f"the key was held for {STUCK:.0f} s and is taken to be stuck: let go and press it again"
        )

    def _hold(self, held: bool) -> None:
        if held != self.key_held:
            self.key_held = held
            self._set_gate()
            self._changed()

    def _set_gate(self) -> None:
        self._gate.mode = transmit.gate_mode(self._mode, self._mute, key_held=self.key_held)

    # -- our voice ------------------------------------------------------------------------

    @property
    def talking(self) -> bool:
        """The gate is open."""
        return self._call.talking

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
        """The one key: the next of off, light and strong, as far as there are, and off again; and say which."""
        voice = self._call.voice
        modes = [mode for mode in Suppress if mode is not Suppress.STRONG or not voice.missing]
        self.suppress(modes[(modes.index(self.suppressed) + 1) % len(modes)].value)
        told = f" ({voice.missing})" if voice.missing and not self._missing_told else ""
        self._missing_told = True
        self._call.chat.notify(f"noise suppression: {self.suppressed.value}{told}")

    # -- friends ------------------------------------------------------------------------

    def volume(self, name: str, db: float | None) -> None:
        """Make a friend louder or softer for me, by ``db`` in SOFTEST_DB..LOUDEST_DB; None mutes them for me."""
        self._volumes.set(name, db)
        self._changed()

    def volumes(self) -> dict[str, float | None]:
        """The friends whose volume is not 0 dB, here or not; None: muted for me."""
        return self._volumes.changed()

    def send_text(self, line: str) -> None:
        """A text line to the others in the room."""
        try:
            line = text.line(line)
        except WireError as error:
            raise ControlError(str(error)) from None
        if not self._call.connected:
            raise ControlError("not connected: the line was not sent")
        self._call.chat.count_sent()
        self._call.send(messages.Text(line))
        self._call.chat.add(self._call.name, line)

    # -- the call -----------------------------------------------------------------------

    def retry(self) -> None:
        """Try now to connect again, where the connection broke or the server does not answer."""
        if self._call.recovery is None:
            raise ControlError("there is nothing to try again")
        self._call.recovery.try_now()

    def quit(self) -> None:
        """Leave, as after Ctrl-C but with exit code 0."""
        self._quit()

    def stop(self) -> None:
        """The call is over: nothing is waited for any more, what was changed is written."""
        self._sticking.stop()
        self._volumes.stop()
