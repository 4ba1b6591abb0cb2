"""A listener: what one member is sent, forwarded packets or a mix, and how it changes over.

Which of the two a listener should have is `ListenerPolicy`'s to say. This is how they come to have
it. At a change both are sent for some ticks, so that the new one's decoder is warm before
it is heard: the talker who was forwarded goes on being forwarded while the first mixed frames
leave, and the mix goes on when a talker is forwarded again. The mode stays MIX until the last of what
was said has been mixed, since it waits in the streams: who says a short word is silent again before its first frame
is due. So a mix that turns SILENT has only its end to send, and the overlap when a forwarded talker stopped in it.

SERVING has the states and what leads from one to another; docs/architecture.md has the picture.

Pure: times are ticks. May import ``media.forwarding`` and the tuning.
"""

import enum
from typing import Final

from voicechat.media.forwarding import ListenerMode, ListenerPolicy
from voicechat.media.tuning import TUNING, ForwardingTuning


class Serving(enum.Enum):
    """What a listener gets: whether a talker's packets, whether a mix, and whether a talk spurt of that is open."""

    SILENT = "silent", False, False, False
    FORWARDED = "forwarded", True, False, False
    MIX_DUE = "a mix, whose first frame is due", False, True, False
    MIXED = "mixed", False, True, True
    JOINING = "forwarded, until the mix's first frame", True, True, False
    TO_MIX = "forwarded, and the first frames of the mix", True, True, True
    TO_FORWARD = "forwarded, and the last frames of the mix", True, True, True
    RUNNING_OUT = "the last frames of an overlap, or the mix's end", False, True, True

    def __init__(self, words: str, forwarded: bool, mixed: bool, open_: bool) -> None:
        self.words = words
        self.forwarded = forwarded
        """The talker's packets go on to them."""
        self.mixed = mixed
        """The tick has to make a mix for them."""
        self.open = open_
        """A frame of the mix was sent, and no end after it."""


class Beat(enum.Enum):
    """What a tick brings."""

    FRAME = "a mixed frame leaves"
    NOTHING = "the mix is silent"
    OVER = "the overlap is over"


SERVING: Final[dict[Serving, dict[ListenerMode | Beat, Serving]]] = {
    Serving.SILENT: {ListenerMode.FORWARD: Serving.FORWARDED, ListenerMode.MIX: Serving.MIX_DUE},
    Serving.FORWARDED: {ListenerMode.SILENT: Serving.SILENT, ListenerMode.MIX: Serving.JOINING},
    Serving.MIX_DUE: {
        ListenerMode.SILENT: Serving.SILENT,
        ListenerMode.FORWARD: Serving.FORWARDED,
        Beat.FRAME: Serving.MIXED,
    },
    Serving.MIXED: {
        ListenerMode.SILENT: Serving.RUNNING_OUT,
        ListenerMode.FORWARD: Serving.TO_FORWARD,
        Beat.NOTHING: Serving.MIX_DUE,
        Beat.OVER: Serving.MIXED,
    },
    Serving.JOINING: {
        ListenerMode.SILENT: Serving.SILENT,
        ListenerMode.FORWARD: Serving.FORWARDED,
        Beat.FRAME: Serving.TO_MIX,
        Beat.OVER: Serving.MIX_DUE,
    },
    Serving.TO_MIX: {
        ListenerMode.SILENT: Serving.RUNNING_OUT,
        ListenerMode.FORWARD: Serving.TO_FORWARD,
        Beat.NOTHING: Serving.JOINING,
        Beat.OVER: Serving.MIXED,
    },
    Serving.TO_FORWARD: {
        ListenerMode.SILENT: Serving.RUNNING_OUT,
        ListenerMode.MIX: Serving.JOINING,
        Beat.NOTHING: Serving.FORWARDED,
        Beat.OVER: Serving.FORWARDED,
    },
    Serving.RUNNING_OUT: {
        ListenerMode.FORWARD: Serving.TO_FORWARD,
        ListenerMode.MIX: Serving.MIXED,
        Beat.NOTHING: Serving.SILENT,
        Beat.OVER: Serving.SILENT,
    },
}
"""What happens in each state: the policy changes its mode, or a tick brings something."""


class Listener:
    """One listener of a conference."""

    def __init__(self, *, always_mix: bool = False, tuning: ForwardingTuning = TUNING.forwarding) -> None:
        self.policy = ListenerPolicy(always_mix=always_mix, tuning=tuning)
        self._overlap = tuning.overlap
        self.state = Serving.SILENT
        self.until: int | None = None
        """The tick at which an overlap is over; in the first ticks of any mix, too."""
        self.follows = 0
        """The talker whose packets they were forwarded last, without a break; 0 for none."""

    def change(self, mode: ListenerMode, now: float) -> None:
        """The policy's mode is another one now."""
        self._becomes(mode)
        if mode is ListenerMode.MIX:
            self.until = None
        elif mode is ListenerMode.SILENT:
            self.follows = 0
        elif self.state is Serving.TO_FORWARD:
            self.until = int(now) + self._overlap

    def is_forwarded(self, talker: int) -> bool:
        """Whether this talker's packets go on to them."""
        return self.state.forwarded and self.policy.talker == talker

    def first_frame(self, tick: int) -> None:
        """They are sent the first frame of a mixed talk spurt."""
        self._becomes(Beat.FRAME)
        self.until = tick + self._overlap

    def nothing_leaves(self) -> None:
        """The mix has nothing for them; its talk spurt, which is open, ends."""
        self._becomes(Beat.NOTHING)

    def end_overlap(self) -> bool:
        """The overlap's time is up: let the old way go; whether a mixed talk spurt ends thereby."""
        self.until = None
        was_open = self.state.open
        self._becomes(Beat.OVER)
        if self.policy.mode is ListenerMode.MIX:
            self.follows = 0
        return was_open and not self.state.open

    def _becomes(self, event: ListenerMode | Beat) -> None:
        self.state = SERVING[self.state][event]
        if not (self.state.open or self.state is Serving.JOINING):
            self.until = None
