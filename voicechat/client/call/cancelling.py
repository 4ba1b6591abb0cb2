"""EchoCancelling: the echo canceller at work in a call, and asleep where there is no echo.

The microphone's frames come through the gate, some of them late (the pre-roll); what was played
comes for every frame while friends are heard, with its tick. Both are brought together here: the
canceller is given what was played up to a frame's own tick, and no further.

    for each frame that was played:  `heard`     the watch sees it; it waits for its microphone's frame
    for each frame of talk:          `treat`     cancelled, and judged once more: None if it is nothing but echo

`EchoMode.AUTO` begins awake and falls asleep where the microphone does not hear the loudspeaker
(`media.echo_watch`). A machine that is too slow for the canceller becomes half duplex, and says so:
while friends are heard, only what is much louder than their echo is sent.

Runs on the reactor's thread. Knows no bridge and no connection; time by the clock that it is given.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

from voicechat.format import TICK_SECONDS, TICKS_PER_SECOND, Frame
from voicechat.media.echo import EchoCanceller
from voicechat.media.echo_filter import PARTITIONS
from voicechat.media.echo_watch import EchoState, EchoWatch
from voicechat.media.gate import PRE_ROLL_FRAMES, GateMode, TalkGate
from voicechat.media.levels import mean_square, mean_square_of
from voicechat.media.tuning import TUNING, Tuning

MOST_SHARE: Final = 0.25
"""Of the time of a second's frames that cancelling may take: it needs 2 to 3 % where it was measured."""

LEAST_COUPLING: Final = mean_square_of(-20.0)
"""Of the echo to what is played, before anything was learnt: an echo of a loudspeaker near by."""

OVER_ECHO: Final = mean_square_of(10.0)
"""By which talk must stand above the echo that is expected, in half duplex."""

TOLD_AFTER: Final = TICKS_PER_SECOND
"""Frames withheld after which the player is told that there is an echo, once."""

TOLD: Final = "your microphone hears your loudspeaker: the echo is taken away; headphones sound better"

_WAITING: Final = PARTITIONS + PRE_ROLL_FRAMES + 1
"""Played frames that wait for their microphone's: those before are out of the filter's reach."""


class EchoMode(Enum):
    """What the player wants."""

    AUTO = "auto"
    """Cancel while the microphone hears the loudspeaker."""
    ON = "on"
    """Cancel whenever friends are heard."""
    OFF = "off"
    """Never: headphones, or the system cancels."""


class EchoCancelling:
    """Of one player. ``clock`` gives seconds, to measure the cost; ``notify`` takes lines for the player.

    ``gate`` is the one before it: it knows the room's noise, and whether a key is held.
    """

    def __init__(
        self,
        gate: TalkGate,
        mode: EchoMode = EchoMode.AUTO,
        clock: Callable[[], float] = lambda: 0.0,
        notify: Callable[[str], None] = lambda _line: None,
        tuning: Tuning = TUNING,
    ) -> None:
        self.mode = mode
        self._gate = gate
        self._clock = clock
        self._notify = notify
        self._canceller = EchoCanceller(tuning.cancel, tuning.gate)
        self._watch = EchoWatch(tuning.cancel)
        self._waiting: deque[tuple[int, Frame | None]] = deque(maxlen=_WAITING)
        """Played frames with their ticks, for which the microphone's frame may still come."""
        self._played: deque[tuple[int, float]] = deque(maxlen=PARTITIONS)
        """The last that were played: tick and mean square."""
        self._next = 0
        """The tick that the canceller is to be given next."""
        self._seen = 0
        """The tick after the last frame of talk."""
        self.half_duplex = False
        """The machine is too slow: nothing is cancelled, and the echo is not sent either."""
        self.last: Frame | None = None
        """What the last frame of talk was made, sent or not."""
        self.withheld = 0
        """Frames that passed the gate and were nothing but echo."""
        self._coupling = LEAST_COUPLING
        self._spent = 0.0
        self._counted = 0

    @property
    def awake(self) -> bool:
        """Frames of talk are cancelled while friends are heard."""
        return self.mode is EchoMode.ON or (self.mode is EchoMode.AUTO and self._watch.state is EchoState.AWAKE)

    @property
    def works(self) -> str:
        """How it stands, in a word or two."""
        if self.mode is EchoMode.OFF:
            return "off"
        if self.half_duplex:
            return "half duplex"
        return "awake" if self.awake else "asleep"

    @property
    def cancelled(self) -> int:
        """Frames that the canceller has worked on."""
        return self._canceller.frames

    def heard(self, tick: int, played: Frame, level: float, *, opened: bool) -> None:
        """A frame was played at the microphone's ``tick``; ``level`` is what that had, ``opened`` what the gate said.

        Comes for every frame in which a friend was heard, before `treat` for the same tick.
        """
        if self.mode is EchoMode.OFF:
            return
        loud = mean_square(played)
        self._played.append((tick, loud))
        if self.mode is EchoMode.AUTO and self._watch.frame(loud, level, opened=opened):
            self._begin()
        if not self.awake or self.half_duplex:
            return
        self._waiting.append((tick, played))
        self._advance(tick - PRE_ROLL_FRAMES)

    def treat(self, tick: int, frame: Frame) -> Frame | None:
        """A frame of talk without the echo, valid until the next call; None if it is nothing but echo.

        While the talk key is held nothing is withheld.
        """
        held = self._gate.mode is GateMode.OPEN
        if self.half_duplex and self.awake:
            talk: Frame | None = frame if held or self._louder(tick, frame) else None
            self.withheld += talk is None
            return talk
        if not self.awake:
            self.last = frame
            return frame
        begun = self._clock()
        self._advance(tick + 1)
        if tick > self._seen:
            self._canceller.missed(tick - self._seen)
        self._seen = tick + 1
        self.last = clean = self._canceller.cancel(frame, self._gate.floor)
        talk = clean if self._canceller.talk or held else None
        if talk is None:
            self.withheld += 1
            if self.withheld == TOLD_AFTER:
                self._notify(TOLD)
        self._count(self._clock() - begun)
        return talk

    def rest(self) -> None:
        """The gate has shut: a spurt is over."""
        self._canceller.rest()

    def new_device(self) -> None:
        """Another microphone or loudspeaker: there may be an echo now, and another one."""
        self._canceller.doubt()
        self._coupling = LEAST_COUPLING
        self.half_duplex = False
        if self._watch.wake():
            self._begin()

    def _begin(self) -> None:
        """The watch has changed its mind."""
        self._waiting.clear()

    def _advance(self, tick: int) -> None:
        """Give the canceller what was played before ``tick``."""
        waiting, canceller = self._waiting, self._canceller
        if tick - self._next > PARTITIONS:
            self._next = tick - PARTITIONS
        while self._next < tick:
            while waiting and waiting[0][0] < self._next:
                waiting.popleft()
            canceller.played(waiting.popleft()[1] if waiting and waiting[0][0] == self._next else None)
            self._next += 1

    def _louder(self, tick: int, frame: Frame) -> bool:
        """In half duplex: whether a frame stands above any echo."""
        played = max((loud for when, loud in self._played if tick - when < PARTITIONS), default=0.0)
        return mean_square(frame) > OVER_ECHO * self._coupling * played

    def _count(self, seconds: float) -> None:
        """Add up what a second of frames has taken; too much ends it."""
        self._spent += seconds
        self._counted += 1
        if self._counted < TICKS_PER_SECOND:
            return
        share = self._spent / (self._counted * TICK_SECONDS)
        self._spent, self._counted = 0.0, 0
        if share > MOST_SHARE:
            self._coupling = max(self._canceller.coupling, mean_square_of(-40.0))
            self.half_duplex = True
            self._waiting.clear()
            self._notify(
                f"echo cancelling took {share:.0%} of the time, too much for this machine: while friends talk, you are "
                "heard only when you are louder than they are; headphones help"
            )
