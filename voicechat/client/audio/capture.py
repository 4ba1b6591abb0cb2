"""Capture: from the device's blocks to frames of talk that wait for the reactor.

Two blocks are a frame; the gate judges its mean square. Frames of talk wait with their tick, which runs through
silence; the pre-roll goes before them, and None after the last.

`push` runs on the device's thread, `pop` on the reactor's. What crosses over are numbers, and appends and pops of a
bounded deque, which are atomic in CPython.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from voicechat.format import FRAME_SAMPLES, SILENT_BLOCK, TICK_MS, Frame
from voicechat.media.gate import PRE_ROLL_FRAMES, GateMode, TalkGate

MOST_CAPTURED: Final = 25
"""Frames waiting for the reactor: half a second of a stall; older words are dropped as overruns."""

UNHEARD_AFTER: Final = 500 // TICK_MS
"""Frames of talk, less those without, after which whoever is muted talks: a sentence has begun. A cough is shorter."""

MOST_PLAYED: Final = 25
"""Played frames waiting for the reactor, which fetches them once a frame while friends are heard: as above."""

_SAMPLES: Final = np.dtype(np.float32)
"""What a frame's bytes are; made once, since making it of the type is 6 of frombuffer's 20 us (measured, cold)."""


class Captured(NamedTuple):
    """A frame of talk; ``frame`` is None at the first tick after a talk spurt."""

    tick: int
    frame: Frame | None
    mean_square: float = 0.0
    """Of the frame, as the gate had it."""


class PlayedFrame(NamedTuple):
    """What the loudspeaker was given while the microphone heard a frame."""

    tick: int
    """Of that frame."""
    sound: tuple[bytes, bytes]
    """Two blocks."""
    mean_square: float
    """Of the microphone's frame."""
    opened: bool
    """The gate was open for it, or its level would have opened it where a key decides."""

    @property
    def frame(self) -> Frame:
        """The sound as samples; a copy."""
        return np.frombuffer(b"".join(self.sound), _SAMPLES)


class CaptureQueue:
    """Frames of the microphone that passed the gate, at most MOST_CAPTURED.

    ``unheard`` is called on the DEVICE's thread when whoever is muted talks, once for each time that they are muted.
    ``keep_played``: what was played while a frame was heard waits for the reactor, too: an echo canceller's reference.
    """

    def __init__(
        self, gate: TalkGate, unheard: Callable[[], object] = lambda: None, *, keep_played: bool = False
    ) -> None:
        self._gate = gate
        self._unheard = unheard
        self._unheard_frames = 0
        """Frames of talk while muted; UNHEARD_AFTER: it was told."""
        self._half: bytes | None = None
        self._half_played = SILENT_BLOCK
        self._played: deque[PlayedFrame] = deque(maxlen=MOST_PLAYED if keep_played else 0)
        self._pre_roll: deque[tuple[bytes, float]] = deque(maxlen=PRE_ROLL_FRAMES)
        self._waiting: deque[Captured] = deque(maxlen=MOST_CAPTURED)
        self.talking = False
        """The gate is open: what the microphone hears is sent."""
        self.tick = 0
        """Frames that the microphone has given: the clock of what is captured."""
        self.level = 0.0
        """Mean square of the last frame of the microphone."""
        self.overruns = 0
        """Frames captured that the reactor did not take in time."""

    def push(self, block: bytes, played: bytes = SILENT_BLOCK) -> bool:
        """Take in a block; True when the reactor has something to fetch. Called on the DEVICE's thread.

        ``played`` is what the device was given right before.
        """
        first = self._half
        if first is None:
            self._half, self._half_played = block, played
            return False
        self._half = None
        if (
            block is SILENT_BLOCK
            and first is SILENT_BLOCK
            and not self.talking
            and self._gate.mode is not GateMode.OPEN
        ):
            self.tick += 1  # nobody listens to a microphone: the gate must not learn that as the noise of the room
            self.level = 0.0
            return False
        frame = first + block
        samples = np.frombuffer(frame, _SAMPLES)  # once a frame: in a cold thread a numpy call costs 20 us (measured)
        self.level = level = float(samples.dot(samples)) / FRAME_SAMPLES
        tick = self.tick
        self.tick = tick + 1
        opened = self._gate.push(level)
        if played is not SILENT_BLOCK or self._half_played is not SILENT_BLOCK:
            would = opened if self._gate.mode is GateMode.VOICE else level >= self._gate.opens_at
            self._played.append(PlayedFrame(tick, (self._half_played, played), level, would))
        if not opened:
            self._pre_roll.append((frame, level))
            if self._gate.mode is GateMode.MUTED:
                self._count_unheard()
            elif self._unheard_frames:
                self._unheard_frames = 0
            if not self.talking:
                return False
            self.talking = False
            self._hand_over(tick, None, 0.0)
            return True
        if not self.talking:
            self.talking = True
            self._unheard_frames = 0
            for back, (early, early_level) in zip(range(len(self._pre_roll), 0, -1), self._pre_roll, strict=True):
                self._hand_over(tick - back, early, early_level)
            self._pre_roll.clear()
        self._hand_over(tick, frame, level)
        return True

    def _count_unheard(self) -> None:
        count = self._unheard_frames
        if count == UNHEARD_AFTER:
            return
        self._unheard_frames = count = count + 1 if self._gate.talks else max(0, count - 1)
        if count == UNHEARD_AFTER:
            self._unheard()

    def _hand_over(self, tick: int, frame: bytes | None, level: float) -> None:
        if len(self._waiting) == MOST_CAPTURED:
            self.overruns += 1
        self._waiting.append(Captured(tick, None if frame is None else np.frombuffer(frame, _SAMPLES), level))

    def pop_played(self) -> PlayedFrame | None:
        """What was played at the next tick, or None when there is no more. Called on the reactor's thread."""
        try:
            return self._played.popleft()
        except IndexError:
            return None

    def pop(self) -> Captured | None:
        """The next frame of talk, or None when there is no more. Called on the reactor's thread."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None
