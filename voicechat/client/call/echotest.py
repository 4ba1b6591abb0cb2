"""The echo test: say something, hear a second later what the server heard of you, and read how good that was.

`Meter` judges (pure): what went out is looked at for clipping, what came back for level,
noise and gaps, since that is what friends would hear. It is a tap (`audio.processing`).
`EchoTest` is the evening's shortest call: levels each second, and at the end a verdict in
words.

May import what the call imports; never the sound devices.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from twisted.internet.interfaces import IReactorTime

from voicechat.client.exits import Exit
from voicechat.client.notices import INotices
from voicechat.format import TICK_SECONDS, TICKS_PER_SECOND, Frame, Samples
from voicechat.media.counts import Counts
from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.levels import QUIETEST_DBFS, dbfs_of, mean_square, mean_square_of
from voicechat.rooms.echo import ECHO_DELAY

SECONDS: Final = 10.0
"""Of talk, unless --duration says otherwise: some sentences, with the pauses in which the noise is heard."""

REST_SECONDS: Final = ECHO_DELAY * TICK_SECONDS + 0.5
"""Until the last word has come back, over a line with a round trip of some 300 ms."""

MOST_FRAMES: Final = 60 * TICKS_PER_SECOND
"""Frames that the verdict looks back on: a minute, however long the test runs."""

HEARD_AT: Final = mean_square_of(-100.0)
"""Mean square below which a frame holds nothing: gaps and the last bit of a fade."""

FULL_SCALE: Final = 0.999
CLIPPED_SAMPLES: Final = 4
"""Samples of a frame at full scale from which it counts as clipped; a loud voice touches it with one or two."""

MOST_CLIPPED: Final = 0.03
"""Share of the frames said. Six voices with peaks at -2 dBFS have none, amplified by 20 dB a quarter to a half."""

ACTIVE: Final = mean_square_of(-16.0)
"""What counts as speech: frames at most so far below the loud ones, as ITU-T P.56 has its margin (15.9 dB)."""

TOO_QUIET_DBFS: Final = -32.0
"""Speech softer than this is 12 dB below everybody whose loudness was seen to (media.loudness); recordings at the
usual level, -26 dBFS as in telephony, are above it without that."""

LEAST_OVER_NOISE_DB: Final = 18.0
"""What speech should lie above the noise of its pauses. Six voices alone: 26 dB and more; with a fan or white noise
15 dB below them 18 to 26, with 10 dB 13 to 20 (measured through the gate and the codec at 12 kbit/s)."""

MOST_LOST: Final = 0.05
"""Share of frames concealed: with 5 % PESQ is still above 3 (docs/performance.md), beyond it words suffer."""

SILENT_DBFS: Final = -60.0
STEP_DB: Final = 3.0
"""A level's bar begins at the one, and has a character for each other."""


class Figures(NamedTuple):
    """What a test measured."""

    said: int
    """Frames that went out."""
    returned: int
    """Frames that came back, and held something."""
    speech_dbfs: float
    noise_dbfs: float
    clipped: float
    """Share of the frames said."""
    lost: float
    """Share of the frames that should have come back."""


class Meter:
    """A tap that measures both directions of one test."""

    def __init__(self) -> None:
        self._said: deque[bool] = deque(maxlen=MOST_FRAMES)
        self._returned: deque[float] = deque(maxlen=MOST_FRAMES)
        self._loudest = [0.0, 0.0]

    def captured(self, frame: Frame) -> None:
        """A frame of the microphone that goes out."""
        self._said.append(int(np.count_nonzero(np.abs(frame) >= FULL_SCALE)) >= CLIPPED_SAMPLES)
        self._loudest[0] = max(self._loudest[0], mean_square(frame))

    def provided(self, sound: Samples) -> None:
        """A frame that came back, or half of one."""
        level = mean_square(sound)
        if level > HEARD_AT:
            self._returned.append(level)
        self._loudest[1] = max(self._loudest[1], level)

    def loudest(self) -> tuple[float, float]:
        """DBFS of the loudest frame said, and of the loudest returned, since the last call."""
        said, returned = self._loudest
        self._loudest = [0.0, 0.0]
        return dbfs_of(said), dbfs_of(returned)

    def figures(self, counts: Counts) -> Figures:
        """All of it; ``counts`` are those of what is heard."""
        levels = np.sort(np.array(self._returned))
        came, due = counts.played + counts.recovered, counts.played + counts.recovered + counts.concealed
        speech = noise = QUIETEST_DBFS
        if levels.size:
            loud = levels[int(0.95 * (levels.size - 1))]
            speech = dbfs_of(float(levels[levels >= loud * ACTIVE].mean()))
            noise = dbfs_of(float(levels[int(0.1 * (levels.size - 1))]))
        clipped = sum(self._said) / len(self._said) if self._said else 0.0
        return Figures(len(self._said), levels.size, speech, noise, clipped, 1 - came / due if due else 0.0)


def verdict(figures: Figures) -> list[str]:
    """What is wrong and what to do, a line each, the worst first; nothing if all is fine."""
    if not figures.said:
        return ["nothing was heard of you: is it the right microphone (--list-devices), switched on and turned up?"]
    if not figures.returned:
        return ["nothing came back: the line loses all of your sound; try --path tcp, and ask your host"]
    found = []
    if figures.clipped > MOST_CLIPPED:
        found.append("clipping: turn the microphone down, or move away from it")
    if figures.speech_dbfs < TOO_QUIET_DBFS:
        found.append("too quiet: turn the microphone up, or move closer to it")
    elif figures.speech_dbfs - figures.noise_dbfs < LEAST_OVER_NOISE_DB:
        found.append("noisy: move closer to the microphone, or make the room quieter")
    if figures.lost > MOST_LOST:
        found.append("gaps: the line loses too much of your sound; use a cable, or stop other downloads and uploads")
    return found


class EchoTest:
    """One test, from entering to the verdict. ``finish`` takes the exit code and a last line ('' for none)."""

    def __init__(
        self,
        clock: IReactorTime,
        gate: TalkGate,
        meter: Meter,
        counts: Counts,
        notices: INotices,
        finish: Callable[[int, str], None],
        seconds: float | None = None,
    ) -> None:
        self._clock = clock
        self._gate = gate
        self._meter = meter
        self._counts = counts
        self._notices = notices
        self._finish = finish
        self._seconds = SECONDS if seconds is None else seconds
        self._over = False

    def begin(self, echo: int) -> None:
        """In the room; ``echo`` is who says everything again, 0 if the server knows no echo test."""
        if not echo:
            self._over = True
            self._finish(Exit.PROTOCOL, "this server knows no echo test; it should be updated")
            return
        self._notices.say(f"say something for {self._seconds:.0f} s; you hear it a second later (Ctrl-C ends the test)")
        self._clock.callLater(1.0, self._notify_levels)
        self._clock.callLater(self._seconds, self._listen)

    def _notify_levels(self) -> None:
        """The levels of the last second."""
        if self._over:
            return
        said, returned = self._meter.loudest()
        self._notices.say(f"you {_level(said):30} server heard {_level(returned)}")
        self._clock.callLater(1.0, self._notify_levels)

    def _listen(self) -> None:
        """The time is up; the last words are still on their way."""
        self._gate.mode = GateMode.MUTED
        self._clock.callLater(REST_SECONDS, self.end)

    def end(self) -> None:
        """The verdict, by what there is so far."""
        if self._over:
            return
        self._over = True
        it = self._meter.figures(self._counts)
        if it.returned:
            self._notices.say(
                f"speech {it.speech_dbfs:.0f} dBFS, noise {it.noise_dbfs:.0f} dBFS, "
                f"{it.clipped:.0%} clipped, {it.lost:.0%} lost"
            )
        found = verdict(it)
        for line in found or ["fine: your friends hear you well"]:
            self._notices.say(line)
        self._finish(Exit.TROUBLE if found else Exit.OK, "")


def _level(dbfs: float) -> str:
    """A level as a number and a bar."""
    if dbfs <= SILENT_DBFS:
        return f"{'silent':>9}"
    return f"{dbfs:4.0f} dBFS {'#' * max(1, round((dbfs - SILENT_DBFS) / STEP_DB))}"
