"""AudioBridge: the ONE object that two threads touch, the sound device's and the reactor's.

The device's thread calls `exchange` once a block (10 ms): it hands over what the
microphone heard and takes what the loudspeaker shall play. There is no lock, no
log and no codec in it; what crosses over are numbers, and appends and pops of bounded
deques, which are atomic in CPython (so is `min` of a deque of floats).

The reactor is woken once a frame while somebody talks, and once a frame while
somebody is heard; in silence not at all, because the gate decides here.

Capture: two blocks are a frame; the gate judges its mean square. Frames of talk go
over with their tick, which runs through silence; the pre-roll goes before them, and
None after the last.

Playback: `provide` adds blocks; when the last one is taken, the reactor is asked for
more. That leaves it the 10 ms that the block lasts; what is late is an underrun. A
device with periods of its own, not of blocks, calls unevenly, and some take several
blocks together: the bridge learns its beat, and asks as many blocks sooner.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, FRAME_SAMPLES, Frame
from voicechat.media.gate import PRE_ROLL_FRAMES, GateMode, TalkGate

MOST_CAPTURED: Final = 25
"""Frames waiting for the reactor: half a second of a stall; older words are dropped as overruns."""

MOST_READY: Final = 32
"""Blocks ready for the loudspeaker: 320 ms, above the deepest playout delay and its frame."""

TOGETHER: Final = 0.002
"""Seconds within which a device takes blocks together: its period is longer than a block, and gives time for many."""

MOST_TOGETHER: Final = 8
"""Blocks kept ready for a device that takes several together: a period of 80 ms."""

BEATS: Final = 64
"""Exchanges by which the device's beat is told: periods of powers of two meet blocks in patterns of 64 at most, up to
2048 samples. Others come as near as that."""

STALLED: Final = 0.1
"""Seconds without an exchange after which the device is taken to stand still, and nothing is prepared for it."""

BYTES: Final = BLOCK_SAMPLES * 4
"""Of a block of float32 samples."""

SILENT_BLOCK: Final = bytes(BYTES)

_SAMPLES: Final = np.dtype(np.float32)
"""What a frame's bytes are; made once, since making it of the type is 6 of frombuffer's 20 us (measured, cold)."""


class Captured(NamedTuple):
    """A frame of talk; ``frame`` is None at the first tick after a talk spurt."""

    tick: int
    frame: Frame | None
    mean_square: float = 0.0
    """Of the frame, as the gate had it."""


class AudioBridge:
    """Between a sound device and the reactor. ``call_from_thread`` is the reactor's, ``seconds`` its clock."""

    def __init__(
        self,
        call_from_thread: Callable[[Callable[[], None]], object],
        gate: TalkGate,
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._call_from_thread = call_from_thread
        self._seconds = seconds
        self.gate = gate
        self.on_turn: Callable[[], None] = lambda: None
        """Called in the reactor's thread when frames were captured or playback wants more."""
        # capture
        self._half: bytes | None = None
        self._pre_roll: deque[tuple[bytes, float]] = deque(maxlen=PRE_ROLL_FRAMES)
        self._talking = False
        self._tick = 0
        self._captured: deque[Captured] = deque(maxlen=MOST_CAPTURED)
        self.level = 0.0
        """Mean square of the last frame of the microphone."""
        self.overruns = 0
        """Frames captured that the reactor did not take in time."""
        # playback
        self._ready: deque[bytes] = deque()
        self._playing = False
        self._asked = False
        self.underruns = 0
        """Blocks that were not ready when the loudspeaker needed them."""
        self.resting = False
        """The device was stopped, because nobody was heard for a while; `on_wanted` starts it again."""
        self.on_wanted: Callable[[], None] = lambda: None
        """Called in the reactor's thread when there is something to play while the device rests."""
        self.on_awake: Callable[[], None] = lambda: None
        """Called in the reactor's thread when it has been started again."""
        self.exchanged_at = 0.0
        """Seconds of the reactor's clock at the last exchange."""
        self._exchanges = 0
        self._beats = deque((0.0,), maxlen=BEATS)
        """When it exchanged, less the time that as many blocks take: the soonest tells its beat."""
        self._run = 1
        """Blocks that it has just taken together."""
        self._longest = 1
        """Of the present BEATS exchanges."""
        self._together = 1

    # -- the device's thread ------------------------------------------------------

    def exchange(self, block: bytes) -> bytes:
        """Hand over one block (480 float32 samples), take one to play. Called on the DEVICE's thread."""
        now = self._seconds()
        wake = self._capture(block)
        wake |= self._follow(now)  # right before the block is taken, since `needed_at` counts both
        try:  # not "if": while one card takes over from another, two threads may be here at once
            out = self._ready.popleft()
        except IndexError:
            out = SILENT_BLOCK
            if self._playing:
                self.underruns += 1
        if self._playing and not self._asked and len(self._ready) < self._together:
            self._asked = wake = True
        if wake:
            self._call_from_thread(self.on_turn)
        return out

    def _follow(self, now: float) -> bool:
        """Learn the device's beat: it calls once a block on average, but by periods of its own; True after a stall."""
        stalled = self._exchanges > 0 and now - self.exchanged_at > STALLED
        number = self._exchanges + 1
        beat = now - number * BLOCK_SECONDS
        if beat - min(self._beats) > (self._together + 1) * BLOCK_SECONDS:  # later than its period explains
            self._beats = deque((beat,), maxlen=BEATS)
        else:
            self._beats.append(beat)
        self._exchanges = number
        self._run = self._run + 1 if now - self.exchanged_at < TOGETHER else 1
        self._longest = min(max(self._longest, self._run), MOST_TOGETHER)
        self._together = max(self._together, self._longest)
        if number % BEATS == 0:
            self._together, self._longest = self._longest, 1
        self.exchanged_at = now
        return stalled

    def _capture(self, block: bytes) -> bool:
        """Take in a block; True when the reactor has something to fetch."""
        first = self._half
        if first is None:
            self._half = block
            return False
        self._half = None
        if (
            block is SILENT_BLOCK
            and first is SILENT_BLOCK
            and not self._talking
            and self.gate.mode is not GateMode.OPEN
        ):
            self._tick += 1  # nobody listens to a microphone: the gate must not learn that as the noise of the room
            self.level = 0.0
            return False
        frame = first + block
        samples = np.frombuffer(frame, _SAMPLES)  # once a frame: in a cold thread a numpy call costs 20 us (measured)
        self.level = float(samples.dot(samples)) / FRAME_SAMPLES
        tick = self._tick
        self._tick = tick + 1
        if not self.gate.push(self.level):
            self._pre_roll.append((frame, self.level))
            if not self._talking:
                return False
            self._talking = False
            self._hand_over(tick, None, 0.0)
            return True
        if not self._talking:
            self._talking = True
            for back, (early, level) in zip(range(len(self._pre_roll), 0, -1), self._pre_roll, strict=True):
                self._hand_over(tick - back, early, level)
            self._pre_roll.clear()
        self._hand_over(tick, frame, self.level)
        return True

    def _hand_over(self, tick: int, frame: bytes | None, level: float) -> None:
        if len(self._captured) == MOST_CAPTURED:
            self.overruns += 1
        self._captured.append(Captured(tick, None if frame is None else np.frombuffer(frame, _SAMPLES), level))

    # -- the reactor's thread -----------------------------------------------------

    @property
    def needed_at(self) -> float:
        """The soonest that the device will take what is provided next; seconds of the reactor's clock."""
        return min(self._beats) + (self._exchanges + 1 + len(self._ready)) * BLOCK_SECONDS

    @property
    def in_a_row(self) -> bool:
        """The last exchange came right after the one before: there is no time between two blocks."""
        return self._run > 1

    def captured(self) -> Captured | None:
        """The next frame of talk, or None when there is no more."""
        try:
            return self._captured.popleft()
        except IndexError:
            return None

    @property
    def tick(self) -> int:
        """Frames that the microphone has given: the clock of what is captured."""
        return self._tick

    @property
    def talking(self) -> bool:
        """The gate is open: what the microphone hears is sent."""
        return self._talking

    @property
    def asked(self) -> bool:
        """Fewer blocks are left than the device may take together."""
        return self._asked

    @property
    def playing(self) -> bool:
        """Between `play` and `rest`: an empty bridge is an underrun."""
        return self._playing

    def play(self, silent_blocks: int = 0) -> None:
        """Somebody is heard from now on; ``silent_blocks`` go before the first frame."""
        self._ready.extend((SILENT_BLOCK,) * min(silent_blocks, MOST_READY))
        self._asked = True
        self._playing = True

    def rest(self) -> None:
        """Nobody is heard any more; what is ready is still played."""
        self._playing = False
        self._asked = False

    def provide(self, frame: bytes) -> None:
        """Add one frame (960 float32 samples); too much is dropped."""
        ready = self._ready
        for start in range(0, len(frame), BYTES):
            ready.append(frame[start : start + BYTES])
        while len(ready) > MOST_READY:
            ready.popleft()
        self._asked = len(ready) < self._together
