"""What a call counts: frames by name, though numbers are given anew and names are made up."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.figures import CallFigures, FramesByName
from voicechat.client.call.friends import MOST_NAMES, Friends
from voicechat.client.call.measured import Measured
from voicechat.client.call.ways import Ways
from voicechat.media.gate import TalkGate
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MIX
from voicechat.testing import MemoryCodec
from voicechat.wire import messages as m


class Recorded:
    """A source or sink without a recording."""

    start_ns: int | None = None


class Counted:
    """The parts that count, without a call."""

    def __init__(self) -> None:
        self.friends, self.hearing = Friends(), Hearing(MemoryCodec())
        bridge = AudioBridge(lambda turn: None, TalkGate())
        self.ways = Ways(Clock(), lambda line: None, lambda: None)
        self.figures = CallFigures(self.friends, self.hearing, bridge, self.ways, Measured())
        self.friends.welcome(m.Welcome(1, "Ann", "", 7, [m.Participant(2, "Ben"), m.Participant(3, "Cid")]))

    def written(self) -> dict[str, Any]:
        """All of it."""
        return self.figures.written(Recorded(), Recorded(), frames_sent=5, reconnects=2, password_logins=4)

    @property
    def sources(self) -> object:
        """As they are written."""
        return self.written()["sources"]


def test_a_number_that_somebody_else_gets_counts_for_both_names() -> None:
    counted = Counted()
    counted.hearing.heard[2] = 10
    counted.figures.settle(2)
    counted.friends.learn(m.Left(2))
    counted.friends.learn(m.Joined(m.Participant(2, "Dan")))
    counted.hearing.heard[2] = 5
    assert counted.sources == {"Ben": 10, "Dan": 5}
    assert counted.sources == {"Ben": 10, "Dan": 5}, "to ask counts nothing twice"


def test_a_frame_of_the_mix_is_one_of_each_who_talks() -> None:
    counted = Counted()
    counted.friends.learn(m.Talk(2, talking=True))
    counted.figures.count_mixed()
    counted.friends.learn(m.Talk(3, talking=True))
    counted.figures.count_mixed()
    counted.hearing.heard[MIX] = 2
    assert counted.sources == {"Ben": 2, "Cid": 1}


@given(st.lists(st.tuples(st.integers(0, 3 * MOST_NAMES), st.integers(1, 100)), max_size=4 * MOST_NAMES))
def test_however_many_names_are_made_up_no_frame_is_lost_and_few_are_kept(
    added: list[tuple[int, int]],
) -> None:
    frames = FramesByName()
    for name, count in added:
        frames.add(str(name), count)
    assert len(frames.frames) <= MOST_NAMES
    assert sum(frames.frames.values()) + frames.left_out == sum(count for _, count in added)


def test_without_any_connection_there_are_figures_too() -> None:
    written = Counted().written()
    assert (written["frames"]["sent"], written["reconnects"], written["pakes"]) == (5, 2, 4)
    assert (written["packets"], written["bytes"]) == ({"in": 0, "out": 0}, {"in": 0, "out": 0})
    assert (written["round_trip_ms"], written["path"], written["path_in"]) == (None, "tcp", None)
