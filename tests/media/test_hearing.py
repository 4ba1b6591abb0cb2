"""Hearing: all that one listener hears is one frame, and a change-over between talker and mix is not heard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, Frame, silent_frame
from voicechat.media.hearing import MOST_STREAMS, Hearing
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.serial import wrap
from voicechat.testing import MemoryCodec

CODEC = MemoryCodec()


def payload(value: float) -> bytes:
    return CODEC.encoder(12_000).encode(np.full(FRAME_SAMPLES, value, np.float32))


class Listener:
    """A Hearing that is pulled every tick; packets take a tick and arrive in the middle between two pulls."""

    def __init__(self) -> None:
        self.hearing = Hearing(CODEC)
        self.tick = 65_500
        self.out = silent_frame()

    def step(self, voices: dict[int, float], ends: tuple[int, ...] = (), markers: tuple[int, ...] = ()) -> Frame:
        """Each source says one frame of its value, or its end; what is heard."""
        now = self.tick + 0.5
        for source, value in voices.items():
            packet = MediaPacket(source, wrap(self.tick), payload(value), marker=source in markers)
            self.hearing.put(packet, now)
        for source in ends:
            self.hearing.put(MediaPacket(source, wrap(self.tick), b"", end=True), now)
        self.tick += 1
        self.more = self.hearing.pull(float(self.tick), self.out)
        return self.out.copy()

    def steps(self, count: int, voices: dict[int, float]) -> list[Frame]:
        return [self.step(voices) for _ in range(count)]


def test_nobody_is_silence() -> None:
    listener = Listener()
    frame = listener.step({})
    assert not frame.any()
    assert not listener.more
    assert not listener.hearing.active
    assert listener.hearing.due_at() is None
    assert not listener.hearing.should_wait()


def test_forwarded_talkers_are_added_up() -> None:
    listener = Listener()
    frame = listener.steps(10, {1: 0.25, 2: 0.125})[-1]
    assert (frame == 0.375).all()
    assert listener.more
    assert listener.hearing.heard[1] == listener.hearing.heard[2] >= 9


def test_a_source_that_is_first_heard_is_held_as_the_line_is_known() -> None:
    """Each of them once; and a source that was forgotten anew."""
    listener, asked = Listener(), []

    def lateness() -> list[float]:
        asked.append(listener.tick)
        return [0.0, 2.0, 4.0]

    listener.hearing.lateness = lateness
    heard = [bool(frame.any()) for frame in listener.steps(10, {1: 0.25})]
    assert heard.index(True) in {4, 5}, "ticks, as the last of them"
    listener.steps(10, {1: 0.25, 2: 0.125})
    listener.hearing.forget(1)
    first = listener.tick
    listener.steps(10, {1: 0.25, 2: 0.125})
    assert asked == [65_500, 65_510, first]


def test_it_is_over_when_the_last_one_has_ended() -> None:
    listener = Listener()
    listener.steps(10, {1: 0.25, 2: 0.125})
    assert (listener.step({2: 0.125}, ends=(1,)) == 0.125).all()
    listener.step({}, ends=(2,))
    for _ in range(5):
        frame = listener.step({})
    assert not frame.any()
    assert not listener.more


def test_a_gain_is_for_forwarded_talkers_and_never_for_the_mix() -> None:
    listener = Listener()
    for source in (MIX, 1, 2):
        listener.hearing.set_gain(source, 0.5)
    listener.hearing.set_gain(2, 0.0)
    assert (listener.steps(10, {1: 0.25, 2: 0.125})[-1] == 0.125).all()
    listener = Listener()
    listener.hearing.set_gain(MIX, 0.5)
    assert (listener.steps(10, {MIX: 0.25})[-1] == 0.25).all()


def test_a_gain_is_forgotten_with_its_source() -> None:
    listener = Listener()
    listener.hearing.set_gain(1, 0.5)
    listener.steps(5, {1: 0.25})
    listener.hearing.forget(1)
    assert (listener.steps(10, {1: 0.25})[-1] == 0.25).all()


@pytest.mark.parametrize(("before", "after"), [({1: 0.25}, {MIX: 0.25}), ({MIX: 0.25}, {1: 0.25})])
def test_one_voice_changes_over_between_forwarded_and_mixed_without_being_heard(
    before: dict[int, float], after: dict[int, float]
) -> None:
    listener = Listener()
    listener.steps(20, before)
    frames = [listener.step({**before, **after}, markers=tuple(after)), *listener.steps(20, after)]
    sound = np.concatenate(frames)
    assert (
        np.abs(sound - 0.25).max() <= 0.25 / 2
    )  # at most one concealed frame (half, in this codec), never both at once
    assert np.abs(sound[-5 * FRAME_SAMPLES :] - 0.25).max() == 0


def test_when_a_second_talker_comes_in_by_the_mix_the_first_is_not_heard_twice() -> None:
    listener = Listener()
    listener.steps(20, {1: 0.25})
    frames = [listener.step({1: 0.25, MIX: 0.375}, markers=(MIX,)), *listener.steps(30, {MIX: 0.375})]
    sound = np.concatenate(frames)
    assert sound.max() <= 0.375 + 1e-6
    assert sound.min() >= 0.125 - 1e-6
    assert (frames[-1] == 0.375).all()


def test_four_shouting_friends_are_limited_and_never_cut_off() -> None:
    listener = Listener()
    frames = listener.steps(20, {1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0})
    assert all(np.abs(frame).max() < 1 for frame in frames)
    assert frames[-1].max() > 0.8


def test_garbage_is_a_wire_error_and_begins_nothing() -> None:
    hearing = Hearing(CODEC)
    for packet in (MediaPacket(1, 0, b"garbage"), MediaPacket(1, 0, payload(0.5), offset=1, redundant=b"garbage")):
        with pytest.raises(WireError):
            hearing.put(packet, 0.0)
    assert not hearing.active


def test_the_end_of_what_never_began_is_ignored() -> None:
    hearing = Hearing(CODEC)
    hearing.put(MediaPacket(1, 0, b"", end=True), 0.0)
    assert not hearing.active


def test_sources_are_bounded() -> None:
    listener = Listener()
    for source in range(1, 251):
        listener.step({source: 0.01})
        assert len(listener.hearing._streams) <= MOST_STREAMS
    assert listener.hearing.active


def test_who_was_not_heard_for_longest_makes_room_and_never_the_mix() -> None:
    listener = Listener()
    listener.steps(5, {MIX: 0.25})
    listener.step({}, ends=(MIX,))
    for source in range(1, MOST_STREAMS):
        listener.step({source: 0.01})
    listener.step({1: 0.01})  # the first one made, heard again
    listener.step({200: 0.01})
    assert set(listener.hearing.talkers) == {1, *range(3, MOST_STREAMS), 200}
    assert MIX in listener.hearing._streams


def test_it_tells_what_waits_and_what_is_missing() -> None:
    listener = Listener()
    hearing = listener.hearing
    hearing.put(MediaPacket(1, wrap(listener.tick), payload(0.5), marker=True), listener.tick + 0.5)
    due = hearing.due_at()
    assert due is not None
    assert 0.5 <= due - listener.tick <= 1
    assert hearing.pull(due, listener.out)
    assert hearing.due_at() is None
    assert hearing.should_wait()
    assert hearing.held >= 0


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.builds(
                    MediaPacket,
                    st.integers(0, 20),
                    st.integers(0, 100) | st.integers(0, 0xFFFF),
                    st.sampled_from([payload(1.0), payload(-1.0), payload(0.5), payload(0.0)]),
                    st.booleans(),
                    st.booleans(),
                ),
                max_size=4,
            ),
            st.floats(0, 3) | st.floats(0, 4_000),
        ),
        max_size=30,
    )
)
def test_whatever_comes_each_pull_fills_one_frame(turns: list[tuple[list[MediaPacket], float]]) -> None:
    hearing, out, now = Hearing(CODEC), silent_frame(), 0.0
    for packets, pause in turns:
        for packet in packets:
            hearing.put(packet, now)
        now += pause
        out.fill(np.nan)
        more = hearing.pull(now, out)
        assert np.abs(out).max() <= 1
        assert more == hearing.active
        assert hearing.held >= 0


def late(listener: Listener, voices: dict[int, float], source: int) -> MediaPacket:
    """A tick in which the packet of ``source`` does not come in time; it is given back."""
    packet = MediaPacket(source, wrap(listener.tick), payload(voices[source]))
    listener.step({other: value for other, value in voices.items() if other != source})
    return packet


@pytest.mark.parametrize(("source", "gain"), [(1, 1.0), (1, 0.5), (MIX, 1.0)])
def test_of_a_late_frame_the_second_half_is_as_loud_as_the_rest(source: int, gain: float) -> None:
    listener = Listener()
    listener.hearing.set_gain(1, gain)
    assert (listener.steps(60, {source: 0.25})[-1] == 0.25 * gain).all()
    packet = late(listener, {source: 0.25}, source)
    first = listener.out[:BLOCK_SAMPLES].copy()
    assert listener.hearing.pending
    assert (first == 0.125 * gain).all()
    listener.hearing.repair(listener.out)
    assert (listener.out == 0.125 * gain).all(), "nothing has come yet"
    listener.hearing.put(packet, listener.tick + 0.2)
    assert not listener.hearing.pending
    listener.hearing.repair(listener.out)
    assert (listener.out[:BLOCK_SAMPLES] == first).all()
    assert listener.out[-1] == 0.25 * gain
    assert np.abs(np.diff(listener.out)).max() < 0.001
    assert (listener.step({source: 0.25}) == 0.25 * gain).all()


def test_a_second_half_is_never_louder_than_full_scale() -> None:
    listener = Listener()
    listener.hearing.set_gain(1, 4.0)
    listener.steps(60, {1: 0.9})
    packet = late(listener, {1: 0.9}, 1)
    listener.hearing.put(packet, listener.tick + 0.2)
    listener.hearing.repair(listener.out)
    assert 0.9 < np.abs(listener.out).max() < 1


def test_where_two_are_heard_a_frame_is_whole() -> None:
    listener = Listener()
    listener.steps(60, {1: 0.25, 2: 0.25})
    late(listener, {1: 0.25, 2: 0.25}, 1)
    assert not listener.hearing.pending


@pytest.mark.parametrize("end", ["forget", "stop"])
def test_who_is_gone_is_not_mended(end: str) -> None:
    listener = Listener()
    listener.steps(60, {1: 0.25})
    packet = late(listener, {1: 0.25}, 1)
    listener.hearing.put(packet, listener.tick + 0.2)
    heard = listener.out.copy()
    if end == "forget":
        listener.hearing.forget(1)
    else:
        listener.hearing.stop()
    assert not listener.hearing.pending
    listener.hearing.repair(listener.out)
    assert (listener.out == heard).all()
