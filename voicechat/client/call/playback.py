"""Playback: from what is heard to what the bridge plays, on the sound card's beat.

THE SOUND CARD IS THE CLIENT'S CLOCK. While somebody is heard, the bridge asks for a
frame each time it has given its last block away, 10 ms before the next is needed. If
the frame due has not arrived by then, there is still time: the answer is held back
until it comes, or until its block may be taken. That alone saves half a frame of delay.
Then a made-up frame is handed over, but only its first half: if the true one comes in
the 10 ms that this takes, its second half is heard. (A card that takes several blocks
together leaves no time between, and there is nothing to gain.)

A talk spurt that begins while the bridge rests picks its own beat: the first frame
starts at the first block that is late enough for the playout delay, so that frames
wait 0-10 ms for the card and not 0-20. That frame is made as late as all others, so
that the pre-roll is complete and its quiet frames can be left out: the first word is
heard as soon as those that follow.
"""

import math
from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer, ticks
from voicechat.client.audio.bridge import AudioBridge
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, BLOCKS_PER_FRAME, TICK_SECONDS, silent_frame
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MediaPacket

READY: Final = 0.002
"""Seconds before its block is taken that a frame is made, or given up: for waking up (1 ms), decoding, handing over."""

GATHER: Final = 0.001
"""Seconds after the first packet of a spurt in which the rest of its pre-roll arrives: it is sent as one burst."""

EARLY: Final = 0.0005
"""Seconds that a spurt may begin before its time, for a block sooner."""


class Playback:
    """Pulls one listener's frames and provides the bridge."""

    def __init__(self, clock: IReactorTime, hearing: Hearing, bridge: AudioBridge) -> None:
        self._clock = clock
        self.hearing = hearing
        self._bridge = bridge
        self._frame = silent_frame()
        self._hold = Timer(clock, self._fulfil)
        self._beginning = Timer(clock, self._fulfil)
        self._at = 0.0
        self._half = False
        """Only the first half of the frame was handed over."""
        bridge.on_awake = self.awake

    def arrived(self, packet: MediaPacket) -> None:
        """A packet to be heard. WireError if it cannot be one of the codec."""
        self.hearing.put(packet, ticks(self._clock))
        if self._bridge.resting:
            self._bridge.on_wanted()
        elif not self._bridge.playing:
            self._start()
        elif self._hold.runs and not self._lacks():
            self._hold.stop()
            self._fulfil()

    def awake(self) -> None:
        """The device calls again after a rest: what came meanwhile begins at once."""
        if not self._bridge.playing:
            self._start()

    def turn(self) -> None:
        """The bridge may want a frame, or a device that stood still is back."""
        if self._hold.runs or self._beginning.runs:
            return
        if not self._bridge.playing:
            self._start()
            return
        if not self._bridge.asked:
            return
        needed_at = self._bridge.needed_at
        self._at = needed_at / TICK_SECONDS
        if self._lacks():
            left = needed_at - READY - self._clock.seconds()
            if left > 0:
                self._hold.start(left)
                return
        self._fulfil()

    def stop(self) -> None:
        """The call is over."""
        self._hold.stop()
        self._beginning.stop()
        self._half = False
        self._bridge.rest()

    def _start(self) -> None:
        """Begin a beat: silence until the first block that is late enough, then the first frame."""
        due = self.hearing.due_at()
        now = self._clock.seconds()
        if due is None or self._bridge.beat.stalled(now):
            return
        first = self._bridge.needed_at
        soonest = math.ceil((now + GATHER + READY - first) / BLOCK_SECONDS)
        blocks = math.ceil((due * TICK_SECONDS - EARLY - first) / BLOCK_SECONDS)
        if blocks < soonest:  # late already, as the pre-roll is: by whole frames, so that the next ones are on time
            blocks += BLOCKS_PER_FRAME * math.ceil((soonest - blocks) / BLOCKS_PER_FRAME)
        first += blocks * BLOCK_SECONDS
        self._at = first / TICK_SECONDS
        self._bridge.play(blocks)
        self._beginning.start(first - READY - now)

    def _fulfil(self) -> None:
        """Hand over the frame that is wanted, or its second half."""
        frame, halved = self._frame, self._half
        self._half = False
        if halved:
            self.hearing.repair(frame)
            self._bridge.provide(frame[BLOCK_SAMPLES:].tobytes())
        elif self.hearing.pull(self._at, frame):
            self._half = self.hearing.pending and not self._bridge.beat.in_a_row
            self._bridge.provide((frame[:BLOCK_SAMPLES] if self._half else frame).tobytes())
        else:
            self._bridge.rest()
        self.turn()

    def _lacks(self) -> bool:
        """What is to be handed over next may still come."""
        return self.hearing.pending if self._half else self.hearing.should_wait()
