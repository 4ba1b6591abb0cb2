"""What may be put between the card and the call: stages, which change sound, and taps, which see it.

A `Stage` stands before the gate, so that the gate judges what is left, and it gets what was really played as its
reference: an echo canceller's place. It runs on the DEVICE's thread, where nothing may wait, lock, log or compute for
long; what needs more than some microseconds keeps the reference there, and does its work behind the gate, on the
reactor's thread (`call.voice`).

A `Tap` runs on the REACTOR's thread and sees what passed the gate, and what goes to the loudspeaker: the echo test's
meter is one. It changes nothing, and is not called in silence.
"""

from typing import Protocol

from voicechat.format import Frame, Samples


class Stage(Protocol):
    """Changes the microphone's blocks. Called on the device's thread."""

    def process(self, block: bytes, played: bytes) -> bytes:
        """A block as the gate shall have it; ``played`` is the one that the device was given right before.

        Both are float32 samples. A closed microphone gives SILENT_BLOCK itself: that is to be passed on as it is.
        """


class Tap(Protocol):
    """Sees sound of both directions. Called on the reactor's thread."""

    def captured(self, frame: Frame) -> None:
        """A frame of talk, as the call takes it from the microphone. Must not be changed."""

    def provided(self, sound: Samples) -> None:
        """What is to be played next: a frame, or half of one. Must not be changed."""
