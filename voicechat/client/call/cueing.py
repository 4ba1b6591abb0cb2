"""Which cue tells what has happened: what is so now is compared with what was so before.

A watcher of `Controls`. Whoever is deafened wants quiet, and hears of nothing but themselves and their connection.
Friends who come, go or write in one second are one cue; what we do ourselves is told each time, since the last one
heard must be true.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, NamedTuple

from twisted.internet.interfaces import IReactorTime

from voicechat.client.call.call import Call
from voicechat.client.call.chat import ChatMessage
from voicechat.client.call.controls import Controls
from voicechat.format import Samples
from voicechat.media.cues import IMPORTANT, Cue, sound

APART: Final = {Cue.JOINED: 1.0, Cue.LEFT: 1.0, Cue.TEXT: 1.0}
"""Seconds until the same cue may be heard again: three friends who come after a server was started anew are one."""


class Cues(Enum):
    """Which cues are played."""

    AUTO = "auto"
    """All, unless they would be recorded, or nobody would hear them."""
    ON = "on"
    IMPORTANT = "important"
    OFF = "off"

    def those(self, *, audible: bool) -> frozenset[Cue]:
        """The cues that are meant; ``audible``: what is played is for somebody's ears now."""
        if self is Cues.OFF or (self is Cues.AUTO and not audible):
            return frozenset()
        return IMPORTANT if self is Cues.IMPORTANT else frozenset(Cue)


class _Seen(NamedTuple):
    """What cues tell of."""

    muted: bool
    deafened: bool
    unheard: bool
    lost: bool
    here: frozenset[int]
    """Friends, by their numbers."""
    message: ChatMessage | None
    """The newest text line."""


class Cueing:
    """The cues of one call: ``play`` takes their sound, ``chosen`` are the ones that are wanted."""

    def __init__(
        self,
        clock: IReactorTime,
        call: Call,
        controls: Controls,
        play: Callable[[Samples], None],
        chosen: frozenset[Cue] = frozenset(Cue),
    ) -> None:
        self._clock = clock
        self._call = call
        self._controls = controls
        self._play = play
        self._chosen = chosen
        self._played_at: dict[Cue, float] = {}
        self._entered = False
        self._seen = self._look()
        if chosen:
            controls.watch(self._changed)

    def stop(self) -> None:
        """The call is over, as it was meant to be: that nobody hears us is no news."""
        self._chosen = frozenset()

    def _look(self) -> _Seen:
        call, controls = self._call, self._controls
        messages = call.chat.messages
        here = frozenset(person.source for person in call.friends.people)
        newest = messages[-1] if messages else None
        return _Seen(controls.muted, controls.deafened, controls.unheard, call.lost, here, newest)

    def _changed(self) -> None:
        before, self._seen = self._seen, self._look()
        for cue in self._happened(before, self._seen):
            self._tell(cue)
        self._entered = self._entered or self._call.connected

    def _happened(self, before: _Seen, now: _Seen) -> Iterator[Cue]:
        if now.deafened != before.deafened:
            yield Cue.DEAFENED if now.deafened else Cue.UNDEAFENED
        elif now.muted != before.muted:
            yield Cue.MUTED if now.muted else Cue.UNMUTED
        if now.unheard and not before.unheard:
            yield Cue.UNHEARD
        if self._entered and now.lost != before.lost:
            yield Cue.LOST if now.lost else Cue.BACK
        if now.deafened:
            return
        if not (now.lost or before.lost):  # else it is news of an evening that was missed
            if now.here - before.here:
                yield Cue.JOINED
            if before.here - now.here:
                yield Cue.LEFT
        if now.message is not None and now.message is not before.message and now.message.name != self._call.name:
            yield Cue.TEXT

    def _tell(self, cue: Cue) -> None:
        now = self._clock.seconds()
        if cue not in self._chosen or now - self._played_at.get(cue, float("-inf")) < APART.get(cue, 0.0):
            return
        self._played_at[cue] = now
        self._play(sound(cue))
