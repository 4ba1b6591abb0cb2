"""Streams: each pull answers with one frame, whatever the line did; and the delay comes back by itself."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, TICK_MS, TICKS_PER_SECOND, Frame, silent_frame
from voicechat.media.counts import FrameKind
from voicechat.media.jitter import Arrival
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.redundancy import Redundancy
from voicechat.media.sending import SendStream
from voicechat.media.serial import wrap
from voicechat.media.stream import ReceiveStream
from voicechat.testing import Line, LossyLink, MemoryCodec

CODEC = MemoryCodec()
STEPS = 4096
STARTS = st.sampled_from([0, 1, 7, 65_400, 65_530, 65_535, 65_536, 10**6])


WHISPER = 1 / 512
"""Factor that makes every frame a pause between words: below -55 dBFS."""


def said(tick: int, loudness: float = 1.0) -> Frame:
    """The frame of a tick: constant, and telling the tick."""
    return np.full(FRAME_SAMPLES, (0.25 + (tick % STEPS) / (2 * STEPS)) * loudness, np.float32)


def heard(frame: Frame, near: int) -> int | None:
    """The tick that a frame tells, the one nearest to ``near``; None if it is not one frame unchanged."""
    value = float(frame[0]) * (1 if frame[0] > 0.01 else 1 / WHISPER)
    step = (value - 0.25) * 2 * STEPS
    if frame.min() != frame.max() or not 0 <= step < STEPS or step != round(step):
        return None
    return near + (round(step) - near + STEPS // 2) % STEPS - STEPS // 2


class Player:
    """A ReceiveStream that is pulled every tick, at the tick and a bit."""

    def __init__(self, start: int = 0, phase: float = 0.7, line: Line | None = None, seed: int = 1) -> None:
        self.stream = ReceiveStream(CODEC.decoder())
        self.sending = SendStream(CODEC.encoder(12_000))
        self.link: LossyLink[MediaPacket] = LossyLink(seed, line or Line(delay=2.0))
        self.tick = start
        self.at = start + phase
        self.out = silent_frame()
        self.kinds: list[FrameKind] = []
        self.ticks: list[int | None] = []
        """Which frame each pull gave."""
        self.delays: list[float] = []
        """Ticks from saying to hearing, of frames that came through unchanged."""
        self.redundancy = 0
        self.loudness = 1.0
        self._adder = Redundancy()

    def send(self, packet: MediaPacket | None) -> None:
        if packet is not None:
            self.link.send(self._adder.add_redundancy(packet, self.redundancy), float(self.tick))

    def step(self, *, talking: bool, lost: bool = False) -> FrameKind:
        """One tick: say something or not, hear something or not."""
        frame = said(self.tick, self.loudness)
        packet = self.sending.push(self.tick, frame) if talking else self.sending.finish(self.tick)
        if not lost:
            self.send(packet)
        for at, packet in self.link.receive(self.at):
            self.stream.put(packet, at)
        kind = self.stream.pull(self.at, self.out)
        assert self.out.shape == (FRAME_SAMPLES,)
        assert np.isfinite(self.out).all()
        assert np.abs(self.out).max() <= 1
        tick = heard(self.out, self.tick) if kind in {FrameKind.PLAYED, FrameKind.RECOVERED} else None
        self.kinds.append(kind)
        self.ticks.append(tick)
        if tick is not None:
            self.delays.append(self.at - tick)
        self.tick += 1
        self.at += 1
        return kind

    def run(self, ticks: int, *, talking: bool, lost: int = 0) -> "Player":
        """So many ticks, the first packets ``lost``; ``kinds``, ``ticks`` and ``delays`` are of these alone."""
        self.kinds, self.ticks, self.delays = [], [], []
        for number in range(ticks):
            self.step(talking=talking, lost=number < lost)
        return self

    def unchanged(self) -> list[int]:
        return [tick for tick in self.ticks if tick is not None]


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.55, 0.99])
@pytest.mark.parametrize("start", [0, 65_500, 65_535, 131_070])
def test_on_a_good_line_every_frame_is_heard_once_in_order_and_soon(start: int, phase: float) -> None:
    player = Player(start, phase).run(300, talking=True)
    words = player.unchanged()
    assert words == sorted(set(words))
    assert len(words) >= 295
    assert max(player.delays) <= 2.0 + 2.0
    player.run(20, talking=False)
    assert player.unchanged()[-1] == start + 299
    assert FrameKind.CONCEALED not in player.kinds
    assert player.kinds[-1] is FrameKind.SILENT
    assert not player.stream.active


def test_before_anything_came_there_is_silence() -> None:
    player = Player().run(10, talking=False)
    assert set(player.kinds) == {FrameKind.SILENT}
    assert not player.out.any()
    assert player.stream.counts.silent == 10


@pytest.mark.parametrize("gap", [1, 2, 3, 4])
def test_a_short_gap_is_concealed_and_the_words_after_it_are_on_time(gap: int) -> None:
    player = Player().run(100, talking=True)
    before = player.delays[-1]
    player.run(50, talking=True, lost=gap)
    assert player.kinds.count(FrameKind.CONCEALED) == gap
    assert player.stream.active
    assert player.delays[-1] == pytest.approx(before, abs=1.0)


def test_without_an_end_it_fades_from_the_third_missing_tick_and_is_over_at_the_fifth() -> None:
    player = Player().run(100, talking=True)
    peaks = list[float]()
    kinds = list[FrameKind]()
    player.sending.finish(player.tick)  # the end packet is lost
    while len(kinds) < 12:
        kinds.append(player.step(talking=False))
        peaks.append(float(np.abs(player.out).max()))
    last = max(index for index, kind in enumerate(kinds) if kind is FrameKind.PLAYED)
    assert kinds[last + 1 :] == [FrameKind.CONCEALED] * 4 + [FrameKind.SILENT] * (7 - last)
    assert peaks[last + 5 :] == [0.0] * (7 - last)
    concealed = peaks[last : last + 5]
    assert concealed == sorted(concealed, reverse=True)
    assert not player.stream.active


def test_fading_ends_in_silence_without_a_step() -> None:
    player = Player().run(100, talking=True)
    player.sending.finish(player.tick)
    while player.step(talking=False) is not FrameKind.CONCEALED:
        pass
    frames = [player.out.copy()]
    while player.step(talking=False) is FrameKind.CONCEALED:
        frames.append(player.out.copy())
    sound = np.concatenate(frames[2:])
    assert np.abs(np.diff(sound[:FRAME_SAMPLES])).max() < 0.01
    assert sound[-1] == 0


def test_an_end_packet_ends_it_without_a_concealed_frame() -> None:
    player = Player().run(50, talking=True).run(10, talking=False)
    assert FrameKind.CONCEALED not in player.kinds
    assert not player.stream.active
    assert player.stream.counts.concealed <= 1


def test_spurt_after_spurt_each_is_heard_from_its_first_word_to_its_last() -> None:
    player = Player(65_000)
    for length, pause in itertools.product((1, 5, 40), (1, 8, 120)):
        first = player.tick
        player.run(length, talking=True)
        words = player.unchanged()
        player.run(pause + 8, talking=False)
        words += player.unchanged()
        assert words[0] == first
        assert words[-1] == first + length - 1
        assert len(words) >= length - 1
    assert player.stream.counts.concealed <= 2
    assert player.stream.counts.late == 0


@pytest.mark.parametrize("minutes", [1, 15, 22, 45])
@pytest.mark.parametrize("start", [0, 65_500])
def test_after_minutes_of_silence_the_next_words_are_heard(minutes: int, start: int) -> None:
    player = Player(start).run(100, talking=True).run(20, talking=False)
    player.tick += minutes * 60 * TICKS_PER_SECOND
    player.at += minutes * 60 * TICKS_PER_SECOND
    first = player.tick
    player.run(100, talking=True)
    words = player.unchanged()
    assert words[0] == first
    assert len(words) >= 95
    assert max(player.delays) <= 4


@pytest.mark.parametrize("longer", [-40, -15, 15, 40])
def test_after_a_long_silence_nothing_is_taken_for_granted(longer: int) -> None:
    """Clocks have drifted and routes have changed: the first words are heard nevertheless."""
    player = Player(line=Line(delay=50, jitter=0.2)).run(100, talking=True).run(80, talking=False)
    player.tick += 45 * 60 * TICKS_PER_SECOND
    player.at += 45 * 60 * TICKS_PER_SECOND
    player.link = LossyLink(2, Line(delay=50.0 + longer, jitter=0.2))
    first = player.tick
    words = player.run(200, talking=True).unchanged()
    assert words[0] == first
    assert max(player.delays) <= 50 + longer + 2.2
    assert FrameKind.CONCEALED not in player.kinds


def test_when_the_way_becomes_shorter_in_mid_word_the_delay_does_too() -> None:
    player = Player(line=Line(delay=10, jitter=0.1)).run(300, talking=True)
    player.link = LossyLink(2, Line(delay=2, jitter=0.1))
    player.run(20, talking=True).run(50, talking=True)
    assert max(player.delays) <= 2 + 2.1


def test_every_frame_is_heard_once_though_it_comes_twice_and_in_any_order() -> None:
    line = Line(delay=2, jitter=3, duplicate=0.3, reorder=0.1, reorder_by=2)
    player = Player(65_000, line=line).run(500, talking=True).run(2_000, talking=True)
    words = player.unchanged()
    assert words == sorted(set(words))
    assert len(words) >= 0.93 * 2_000
    assert player.stream.counts.late <= 0.02 * 2_500


def test_a_packet_that_comes_twice_is_told_to_be_a_duplicate() -> None:
    stream = ReceiveStream(CODEC.decoder())
    packet = SendStream(CODEC.encoder(12_000)).push(5, said(5))
    assert stream.put(packet, 5.0) is Arrival.ON_TIME
    assert stream.put(packet, 5.1) is Arrival.DUPLICATE


@pytest.mark.parametrize("jitter", [0.1, 0.5, 1.5])
def test_a_pre_roll_that_its_redundancy_overtakes_is_no_jitter(jitter: float) -> None:
    targets = []
    for redundancy in (0, 1):
        player = Player(line=Line(delay=2.0, jitter=jitter))
        player.redundancy = redundancy
        for _ in range(20):
            before = [player.sending.push(player.tick + back, said(player.tick + back)) for back in range(-3, 0)]
            for packet in before:
                player.send(packet)
            player.run(46, talking=True)
            player.run(10, talking=False)
        targets.append(player.stream.delay.target)
    assert targets[1] <= targets[0] + 0.2


def test_redundancy_that_overtakes_hardly_hides_how_uneven_the_line_is() -> None:
    """It may end any time, and then each frame has to be held as long as its own packet takes."""
    line, hidden = Line(delay=2.0, jitter=6.0), []
    for seed in range(8):
        plain, redundant = Player(line=line, seed=seed), Player(line=line, seed=seed)
        redundant.redundancy = 1
        for player in (plain, redundant):
            player.run(500, talking=True)
        assert FrameKind.RECOVERED in redundant.kinds
        hidden.append(plain.stream.delay.target - redundant.stream.delay.target)
    assert np.mean(hidden) < 0.1, "ticks; 0.03 now, 0.23 where only what comes first counts"


@pytest.mark.parametrize("offset", [1, 3])
def test_redundancy_brings_back_what_was_lost(offset: int) -> None:
    bare, saved = (Player(line=Line(delay=2, jitter=0.2, loss=0.1), phase=0.4) for _ in range(2))
    saved.redundancy = offset
    concealed, recovered = [0, 0], [0, 0]
    for _ in range(20):
        for number, player in enumerate((bare, saved)):
            player.run(150, talking=True)
            words = player.unchanged()
            assert words == sorted(set(words))
            concealed[number] += player.kinds.count(FrameKind.CONCEALED)
            recovered[number] += player.kinds.count(FrameKind.RECOVERED)
            player.run(30, talking=False)
    assert recovered[0] == 0
    assert recovered[1] > 0.06 * 20 * 150
    assert concealed[1] < concealed[0] / 2
    # held back for the copies, and no longer
    assert saved.run(100, talking=True).delays[-1] <= bare.run(100, talking=True).delays[-1] + offset + 1


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("line", [Line(delay=2, jitter=0.3), Line(delay=2, jitter=0.3, ordered=True)])
def test_after_a_stall_the_delay_is_back_within_a_second(seconds: float, line: Line) -> None:
    player = Player(line=line).run(500, talking=True)
    before = sum(player.delays) / len(player.delays)
    player.link.stall(player.tick + 20.0, seconds * TICKS_PER_SECOND)
    player.run(20 + int(seconds * TICKS_PER_SECOND) + TICKS_PER_SECOND, talking=True)
    player.run(10 * TICKS_PER_SECOND, talking=True)
    assert (max(player.delays) - before) * TICK_MS <= 60
    assert len(player.delays) >= 9.5 * TICKS_PER_SECOND


def test_many_stalls_add_up_to_nothing() -> None:
    player = Player(line=Line(delay=2, jitter=0.3, ordered=True)).run(500, talking=True)
    before = sum(player.delays) / len(player.delays)
    for number in range(10):
        player.link.stall(player.tick + 10.0, 20.0 + 7 * number)
        player.run(250, talking=True)
    player.run(15 * TICKS_PER_SECOND, talking=True)
    assert (sum(player.delays) / len(player.delays) - before) * TICK_MS <= 20


def test_a_straggler_of_a_spurt_that_ended_begins_no_other() -> None:
    player = Player().run(50, talking=True)
    straggler = SendStream(CODEC.encoder(12_000)).push(player.tick - 1, said(player.tick - 1))
    player.run(10, talking=False)
    plain = MediaPacket(straggler.source, straggler.tick, straggler.payload)
    assert player.stream.put(plain, player.at) in {Arrival.LATE, Arrival.DUPLICATE}
    assert not player.stream.active


def test_a_payload_that_cannot_be_decoded_is_concealed_and_counted() -> None:
    player = Player().run(50, talking=True)
    dropped = player.stream.counts.dropped
    player.link.send(MediaPacket(ME, wrap(player.tick), b"garbage"), float(player.tick))
    player.tick += 1
    player.at += 1
    for at, packet in player.link.receive(player.at):
        player.stream.put(packet, at)
    player.stream.pull(player.at, player.out)
    player.run(20, talking=True)
    assert player.stream.counts.dropped == dropped + 1
    assert len(player.unchanged()) >= 17


def late_once(late: float) -> tuple[ReceiveStream, SendStream, list[Frame]]:
    """A stream that is on time, in which frame 50 comes ``late`` ticks after its turn; what it gave from then on."""
    stream, sending = ReceiveStream(CODEC.decoder(), halves=True), SendStream(CODEC.encoder(12_000))
    out, frames = silent_frame(), list[Frame]()
    for tick in range(50):
        stream.put(sending.push(tick, said(tick)), tick + 2.0)
        stream.pull(tick + 2.3, out)
    packet = sending.push(50, said(50))
    assert stream.pull(52.3, out) is FrameKind.CONCEALED
    frames.append(out.copy())
    assert stream.pending
    assert stream.late_half() is None
    assert stream.put(packet, 52.3 + late) is Arrival.LATE
    assert not stream.pending
    return stream, sending, frames


def test_of_a_frame_that_is_late_the_second_half_can_be_had() -> None:
    stream, sending, (made_up,) = late_once(0.4)
    half = stream.late_half()
    assert half is not None
    assert half.tolist() == [said(50)[0]] * (FRAME_SAMPLES // 2)
    assert made_up[0] != said(50)[0]
    out = silent_frame()
    stream.put(sending.push(51, said(51)), 53.0)
    assert stream.pull(53.3, out) is FrameKind.PLAYED
    assert heard(out, 51) == 51
    assert stream.counts.late == 1


def test_after_a_late_frame_words_go_on_at_their_time_and_the_joint_is_smooth() -> None:
    stream, sending, (made_up,) = late_once(0.8)
    out = silent_frame()
    stream.put(sending.push(51, said(51)), 53.2)
    assert stream.pull(53.3, out) is FrameKind.PLAYED
    assert out[-1] == said(51)[0]
    assert np.abs(np.diff(np.concatenate([made_up / 2, out]))).max() < 0.02
    assert stream.late_half() is None


def test_frames_that_are_late_again_and_again_are_waited_for_once() -> None:
    """Each a little too late for its turn, though the delay seems right: the way's fastest frames are that fast."""
    stream, sending = ReceiveStream(CODEC.decoder(), halves=True), SendStream(CODEC.encoder(12_000))
    out, kinds = silent_frame(), []
    for tick in range(300):
        at = tick + 2.3
        late = tick >= 50 and tick % 4 == 0
        if late:
            kinds.append(stream.pull(at, out))
        stream.put(sending.push(tick, said(tick)), at + (0.1 if late else -0.1))
        if not late:
            kinds.append(stream.pull(at, out))
    assert kinds.count(FrameKind.CONCEALED) <= 8
    assert set(kinds[150:]) == {FrameKind.PLAYED}


def test_where_the_second_half_is_not_asked_for_a_late_frame_is_waited_for() -> None:
    player = Player().run(50, talking=True)
    player.at -= 0.9
    player.run(50, talking=True)
    assert player.stream.counts.late == 0


def test_frames_that_go_on_being_late_are_waited_for() -> None:
    stream, sending = ReceiveStream(CODEC.decoder(), halves=True), SendStream(CODEC.encoder(12_000))
    out, kinds = silent_frame(), []
    for tick in range(200):
        at = tick + 2.3
        if tick < 100:
            stream.put(sending.push(tick, said(tick)), at - 0.2)
            stream.pull(at, out)
        else:  # each comes 1.5 ticks later from now on
            if tick > 101:
                stream.put(sending.push(tick - 2, said(tick - 2)), at - 0.5)
            kinds.append(stream.pull(at, out))
    assert kinds.count(FrameKind.CONCEALED) <= 4
    assert stream.counts.late <= 1
    assert set(kinds[10:]) == {FrameKind.PLAYED}


def test_when_every_frame_comes_later_from_now_on_none_is_thrown_away() -> None:
    player = Player().run(100, talking=True)
    player.at -= 0.9  # a sound card that hiccuped
    player.run(100, talking=True)
    assert player.kinds.count(FrameKind.CONCEALED) == 1
    assert player.stream.counts.late == 0
    settled = [tick for tick in player.ticks[10:] if tick is not None]
    assert settled == list(range(settled[0], settled[0] + 90))


@given(st.sets(st.integers(60, 160), max_size=12), st.integers(0, 3))
def test_lost_frames_cost_no_delay(lost: set[int], redundancy: int) -> None:
    player = Player()
    player.redundancy = redundancy
    while player.tick < 200:
        player.step(talking=True, lost=player.tick in lost)
    before, after = player.delays[40:50], player.delays[-10:]
    assert max(after) <= max(before) + (redundancy + 1 if redundancy else 1)
    assert player.stream.counts.late == 0


def test_a_missing_frame_is_worth_a_moment_though_newer_ones_are_here() -> None:
    player = Player().run(50, talking=True)
    player.step(talking=True, lost=True)
    assert player.run(2, talking=True).stream.should_wait()  # redundancy may bring it, if only with the next packet


def test_the_pre_roll_that_comes_in_one_burst_does_not_delay_the_words_after_it() -> None:
    player = Player().run(200, talking=True).run(100, talking=False)
    usual = 2 + 2.0
    for back in (3, 2, 1):  # what was said while the gate was still shut
        player.link.send(player.sending.push(player.tick - back, said(player.tick - back)), float(player.tick))
    player.run(100, talking=True)
    assert player.kinds[0] is FrameKind.SILENT
    assert max(player.delays[20:]) <= usual
    assert FrameKind.CONCEALED not in player.kinds[:-1]


@pytest.mark.parametrize("loudness", [1.0, WHISPER], ids=["in words", "in a pause"])
def test_what_jitter_has_deepened_is_given_back_soonest_in_a_pause(loudness: float) -> None:
    player = Player(line=Line(delay=2, jitter=5)).run(1_000, talking=True)
    deep = sum(player.delays[-200:]) / 200
    player.link = LossyLink(2, Line(delay=2, jitter=0.1))
    player.loudness = loudness
    player.run(3_000, talking=True)
    assert deep - player.delays[-1] >= 2.5
    assert FrameKind.CONCEALED not in player.kinds[200:]
    if loudness == WHISPER:  # whole frames are left out, none is merged
        assert None not in player.ticks[200:]


def test_when_jitter_begins_a_pause_is_made_longer() -> None:
    player = Player(line=Line(delay=2, jitter=0.1)).run(300, talking=True)
    shallow = player.delays[-1]
    player.link = LossyLink(2, Line(delay=2, jitter=4))
    player.loudness = WHISPER
    player.run(500, talking=True).run(1_000, talking=True)
    assert player.delays[-1] - shallow >= 2
    assert player.kinds.count(FrameKind.CONCEALED) <= 0.03 * 1_000
    words = player.unchanged()
    assert words == sorted(set(words))


def test_stop_forgets_what_was_not_played() -> None:
    player = Player(line=Line(delay=2, jitter=4)).run(500, talking=True)
    player.stream.stop()
    assert not player.stream.active
    assert player.stream.pull(player.at, player.out) is FrameKind.SILENT
    assert not player.out.any()


def test_it_tells_when_its_first_frame_is_due_and_when_one_is_missing() -> None:
    stream, sending, out = ReceiveStream(CODEC.decoder()), SendStream(CODEC.encoder(12_000)), silent_frame()
    assert stream.due_at() is None
    assert not stream.should_wait()
    stream.put(sending.push(9, said(9)), 12.0)
    due = stream.due_at()
    assert due is not None
    assert 12.0 <= due <= 12.5
    assert stream.active
    assert not stream.playing
    assert stream.pull(due - 0.9, out) is FrameKind.SILENT
    assert stream.pull(due, out) is FrameKind.PLAYED
    assert stream.playing
    assert stream.due_at() is None
    assert stream.should_wait()
    stream.put(sending.push(10, said(10)), 13.0)
    assert not stream.should_wait()
    assert 0 <= stream.held() <= 1


@given(
    STARTS,
    st.integers(0, 10_000),
    st.floats(0, 8),
    st.floats(0, 0.4),
    st.floats(1, 5),
    st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=6),
    st.integers(0, 3),
)
@example(0, 1123, 5.0, 0.0, 1.0, [(True, 2), (False, 4)], 0)  # the marker came when its spurt was over
def test_whatever_the_line_does_frames_are_accounted_for_and_in_order(
    start: int,
    seed: int,
    jitter: float,
    loss: float,
    burst: float,
    talk: list[tuple[bool, int]],
    redundancy: int,
) -> None:
    line = Line(delay=2, jitter=jitter, loss=loss, burst=burst, duplicate=0.1, reorder=0.1, reorder_by=1.5)
    player = Player(start, line=line, seed=seed)
    player.redundancy = redundancy
    words: list[int] = []
    pulls = 0
    for talking, ticks in talk:
        player.run(ticks, talking=talking)
        words += player.unchanged()
        pulls += ticks
    counts = player.stream.counts
    assert counts.played + counts.recovered + counts.concealed + counts.silent == pulls
    assert words == sorted(set(words))
    player.run(40, talking=False)
    assert not player.stream.active


def test_a_marker_begins_a_spurt_though_one_of_its_frames_came_before_it_and_was_refused() -> None:
    player = Player().run(20, talking=True)
    player.stream.stop()
    player.stream.stop()
    tick = player.tick
    for number, arrival in ((tick + 1, Arrival.LATE), (tick, Arrival.ON_TIME)):
        packet = MediaPacket(ME, number, CODEC.encoder(1).encode(said(number)), marker=number == tick)
        assert player.stream.put(packet, player.at) is arrival
    assert player.stream.active


def test_a_spurt_that_is_joined_knows_nothing_of_a_wait_in_the_one_before() -> None:
    stream, sending, out = ReceiveStream(CODEC.decoder()), SendStream(CODEC.encoder(12_000)), silent_frame()
    for tick in range(1_000, 1_010):
        stream.put(sending.push(tick, said(tick)), tick + 2.0)
        stream.pull(tick + 2.3, out)
    assert stream.pull(1_012.3, out) is FrameKind.CONCEALED, "it waits for frame 1010"
    sending.finish(1_010)
    now = 1_020.0
    for tick in (900, 901, 902, 903, 906):  # the talker's clock was set back
        stream.put(sending.push(tick, said(tick)), now)
    due = stream.due_at()
    assert due is not None
    stream.join(due + 4.2, lambda _: None)
    kinds = [stream.pull(due + 4.2 + later, out) for later in range(3)]
    assert kinds == [FrameKind.CONCEALED, FrameKind.CONCEALED, FrameKind.PLAYED], (
        "904 and 905 are lost; neither was waited for"
    )


ODD_PACKETS = st.builds(
    MediaPacket,
    st.just(ME),
    st.integers(0, 0xFFFF) | st.integers(0, 80),
    st.sampled_from([b"", b"garbage", CODEC.encoder(1).encode(said(7)), CODEC.encoder(1).encode(silent_frame())]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([b"", b"garbage", CODEC.encoder(1).encode(said(8))]),
)


@given(st.lists(st.tuples(st.lists(ODD_PACKETS, max_size=4), st.floats(0, 3) | st.floats(0, 5_000)), max_size=60))
def test_whatever_packets_come_each_pull_answers_with_one_frame(
    turns: list[tuple[list[MediaPacket], float]],
) -> None:
    stream, out, now = ReceiveStream(CODEC.decoder()), silent_frame(), 0.0
    for packets, pause in turns:
        for packet in packets:
            stream.put(packet, now)
        now += pause
        out.fill(np.nan)
        kind = stream.pull(now, out)
        assert np.abs(out).max() <= 1
        assert kind is not FrameKind.SILENT or not out.any()
        assert stream.held() >= 0
    now += 70_000  # a tick may lie so far ahead on the ring
    for _ in range(80):
        now += 1
        stream.pull(now, out)
    assert not stream.active
