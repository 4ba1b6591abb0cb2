"""AudioBridge: the ONE object that two threads touch, the sound device's and the reactor's.

The device's thread calls `exchange` once a block (10 ms): it hands over what the
microphone heard and takes what the loudspeaker shall play. There is no lock, no
log and no codec in it; what crosses over are numbers, and appends and pops of bounded
deques, which are atomic in CPython.

    card -> stages -> capture (gate, pre-roll) -> taps -> call
    card <- cues <- playout (blocks that are ready) <- taps <- call    the beat tells when the card takes the next one

The reactor is woken once a frame while somebody talks, and once a frame while
somebody is heard; in silence not at all, because the gate decides here.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from voicechat.client.audio.beat import DeviceBeat
from voicechat.client.audio.capture import Captured, CaptureQueue, PlayedFrame
from voicechat.client.audio.cueing import CueQueue
from voicechat.client.audio.playout import PlayoutQueue
from voicechat.client.audio.processing import Stage, Tap
from voicechat.format import SILENT_BLOCK, Samples
from voicechat.media.gate import TalkGate

CUE_WITHIN: Final = 1.0
"""Seconds without a call of the device's after which a cue would be no news any more. A busy machine has gaps of a
tenth of that."""


class AudioBridge:
    """Between a sound device and the reactor. ``call_from_thread`` is the reactor's, ``seconds`` its clock.

    ``keep_played``: for an echo canceller, what was played waits beside what was heard.
    """

    def __init__(
        self,
        call_from_thread: Callable[[Callable[[], None]], object],
        gate: TalkGate,
        seconds: Callable[[], float] = time.perf_counter,
        *,
        stages: Sequence[Stage] = (),
        taps: Sequence[Tap] = (),
        keep_played: bool = False,
    ) -> None:
        self._call_from_thread = call_from_thread
        self._seconds = seconds
        self._stages = tuple(stages)
        self._taps = tuple(taps)
        self.gate = gate
        self.beat = DeviceBeat()
        self._capture = CaptureQueue(gate, lambda: call_from_thread(self._unheard), keep_played=keep_played)
        self._playout = PlayoutQueue()
        self._cues = CueQueue()
        self._played = SILENT_BLOCK
        """What the device was given last."""
        self.resting = False
        """The device was stopped, because nobody was heard for a while; `on_wanted` starts it again."""
        self.on_turn: Callable[[], None] = lambda: None
        """Called in the reactor's thread when frames were captured or playback wants more."""
        self.on_wanted: Callable[[], None] = lambda: None
        """Called in the reactor's thread when there is something to play while the device rests."""
        self.on_awake: Callable[[], None] = lambda: None
        """Called in the reactor's thread when it has been started again."""
        self.on_unheard: Callable[[], None] = lambda: None
        """Called in the reactor's thread, once each time, when whoever is muted talks."""

    # -- the device's thread ------------------------------------------------------

    def exchange(self, block: bytes) -> bytes:
        """Hand over one block (480 float32 samples), take one to play. Called on the DEVICE's thread."""
        now = self._seconds()
        for stage in self._stages:
            block = stage.process(block, self._played)
        wake = self._capture.push(block, self._played)
        beat, playout = self.beat, self._playout
        wake |= beat.called(now)  # right before the block is taken, since `needed_at` counts both
        out = playout.take()
        if self._cues.waiting:
            out = self._cues.mixed(out)
        self._played = out
        wake |= playout.ask(beat.together)
        if wake:
            self._call_from_thread(self.on_turn)
        return out

    # -- the reactor's thread -----------------------------------------------------

    def captured(self) -> Captured | None:
        """The next frame of talk, or None when there is no more."""
        captured = self._capture.pop()
        if captured is not None and captured.frame is not None:
            for tap in self._taps:
                tap.captured(captured.frame)
        return captured

    def played(self) -> PlayedFrame | None:
        """What was played at the microphone's next tick with sound, or None when there is no more."""
        return self._capture.pop_played()

    def play(self, silent_blocks: int = 0) -> None:
        """Somebody is heard from now on; ``silent_blocks`` go before the first frame."""
        self._playout.play(silent_blocks)

    def rest(self) -> None:
        """Nobody is heard any more; what is ready is still played."""
        self._playout.rest()

    def provide(self, frame: bytes) -> None:
        """Add one frame (960 float32 samples), or half of one; too much is dropped."""
        for tap in self._taps:
            tap.provided(np.frombuffer(frame, np.float32))
        self._playout.provide(frame, self.beat.together)

    def cue(self, sound: Samples) -> None:
        """Play something short beside what is heard, from the next block on; a device that rests is started for it.

        If the device stands still (CUE_WITHIN) it is forgotten: nobody wants to hear it when that is over.
        """
        if self.resting or self._seconds() - self.beat.called_at < CUE_WITHIN:
            self._cues.put(sound)
        if self.resting:
            self.on_wanted()

    @property
    def cueing(self) -> bool:
        """A cue is being played, or waits."""
        return bool(self._cues.waiting)

    def _unheard(self) -> None:
        self.on_unheard()

    @property
    def needed_at(self) -> float:
        """The soonest that the device will take what is provided next; seconds of the reactor's clock."""
        return self.beat.needed_at(len(self._playout))

    @property
    def asked(self) -> bool:
        """Fewer blocks are left than the device may take together."""
        return self._playout.asked

    @property
    def playing(self) -> bool:
        """Between `play` and `rest`: an empty bridge is an underrun."""
        return self._playout.playing

    @property
    def talking(self) -> bool:
        """The gate is open: what the microphone hears is sent."""
        return self._capture.talking

    @property
    def tick(self) -> int:
        """Frames that the microphone has given: the clock of what is captured."""
        return self._capture.tick

    @property
    def level(self) -> float:
        """Mean square of the last frame of the microphone."""
        return self._capture.level

    @property
    def overruns(self) -> int:
        """Frames captured that the reactor did not take in time."""
        return self._capture.overruns

    @property
    def underruns(self) -> int:
        """Blocks that were not ready when the loudspeaker needed them."""
        return self._playout.underruns
