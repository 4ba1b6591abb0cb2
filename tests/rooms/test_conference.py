"""The conference: who gets which packet when, and nobody ever their own voice."""

import itertools
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.format import FRAME_SAMPLES, Frame, silent_frame
from voicechat.media.packet import ME, MIX, MediaPacket
from voicechat.media.quality import Quality
from voicechat.media.sending import SendStream
from voicechat.media.serial import ahead, wrap
from voicechat.media.tuning import TUNING
from voicechat.rooms.conference import Conference, Delivery, Edge
from voicechat.rooms.room import Room
from voicechat.rooms.talker import SILENT_AFTER
from voicechat.testing import MemoryCodec, MemoryDecoder, MemoryEncoder

WARM_WITH = TUNING.stream.warm_with
OVERLAP = TUNING.forwarding.overlap
PAST = TUNING.forwarding.past

PLAIN = MemoryCodec()


class KeptCodec(MemoryCodec):
    """Remembers what was made, so that a test can ask how much it did."""

    def __init__(self) -> None:
        self.encoders: list[MemoryEncoder] = []
        self.decoders: list[MemoryDecoder] = []

    def encoder(self, bitrate: int) -> MemoryEncoder:
        self.encoders.append(super().encoder(bitrate))
        return self.encoders[-1]

    def decoder(self) -> MemoryDecoder:
        self.decoders.append(super().decoder())
        return self.decoders[-1]

    @property
    def work(self) -> int:
        """Frames encoded and decoded."""
        return sum(encoder.frames for encoder in self.encoders) + sum(decoder.frames for decoder in self.decoders)


def constant(value: float) -> Frame:
    return np.full(FRAME_SAMPLES, value, np.float32)


def value(packet: MediaPacket) -> float:
    out = silent_frame()
    PLAIN.decoder().decode(packet.payload, out)
    return float(out[0])


class Den:
    """A room with its conference; everybody's packets arrive in the middle of a tick, then the beat comes."""

    def __init__(self, members: int, *, always_mix: bool = False, start: int = 65_500) -> None:
        self.room = Room("den")
        self.codec = KeptCodec()
        self.conference = Conference(self.room, self.codec, 12_000, always_mix=always_mix)
        self.sending: dict[int, SendStream] = {}
        self.now = start
        self.got: defaultdict[int, list[tuple[float, MediaPacket]]] = defaultdict(list)
        """What each listener was sent, and when."""
        for _ in range(members):
            self.enter()

    def enter(self, quality: Quality = Quality.NORMAL) -> int:
        source = self.room.enter("x", self.now / 50, quality).source
        self.conference.add(source)
        self.sending[source] = SendStream(PLAIN.encoder(12_000))
        return source

    def leave(self, source: int) -> None:
        self.conference.remove(source, float(self.now))
        self.room.leave(source, self.now / 50)
        del self.sending[source]

    def change(self, source: int, **what: bool) -> None:
        """Away, deafened."""
        for name, state in what.items():
            setattr(self.room.members[source], name, state)
        self.conference.changed(float(self.now))

    def gain(self, listener: int, talker: int, gain: float) -> None:
        self.room.members[listener].gains[talker] = gain
        self.conference.changed(float(self.now))

    def deliver(self, deliveries: list[Delivery], at: float) -> None:
        for listeners, packet in deliveries:
            assert len(set(listeners)) == len(listeners)
            for listener in listeners:
                assert packet.source != listener
                self.got[listener].append((at, packet))

    def arrive(self, source: int, packet: MediaPacket | None, at: float) -> None:
        if packet is not None:
            assert packet.source == ME
            self.deliver(self.conference.arrived(source, packet, at), at)

    def step(self, voices: dict[int, float], phases: dict[int, float] | None = None) -> None:
        """One tick: who is in ``voices`` says a frame of that value, all others are, or become, silent."""
        order = sorted(self.sending, key=lambda source: (phases or {}).get(source, 0.5))
        for source in order:
            at = self.now + (phases or {}).get(source, 0.5)
            sending = self.sending[source]
            if source in voices:
                self.arrive(source, sending.push(self.now, constant(voices[source])), at)
            else:
                self.arrive(source, sending.finish(self.now), at)
        self.now += 1
        if self.conference.mixing:
            self.deliver(self.conference.tick(self.now), float(self.now))

    def run(self, ticks: int, voices: dict[int, float]) -> "Den":
        """So many ticks; ``got`` is of these alone."""
        self.got.clear()
        for _ in range(ticks):
            self.step(voices)
        return self

    def frames(self, listener: int) -> list[MediaPacket]:
        """The packets with sound that somebody got."""
        return [packet for _, packet in self.got[listener] if packet.payload]


# -- forward or mix --------------------------------------------------------------------


def test_one_talker_is_forwarded_untouched_and_at_once_to_all_others() -> None:
    den = Den(4).run(50, {1: 0.5})
    assert den.codec.work == 0
    assert not den.conference.mixing
    for listener in (2, 3, 4):
        packets = den.frames(listener)
        assert [packet.tick for packet in packets] == [wrap(65_500 + step) for step in range(50)]
        assert {packet.source for packet in packets} == {1}
        assert [packet.marker for packet in packets] == [True] + [False] * 49
        assert all(at % 1 == 0.5 for at, _ in den.got[listener])
    assert not den.got[1]
    assert den.conference.forwarded == 150


def test_his_end_is_forwarded_too() -> None:
    den = Den(2).run(5, {1: 0.5}).run(3, {})
    assert [packet for _, packet in den.got[2]] == [MediaPacket(1, wrap(65_505), b"", end=True)]


def test_two_talkers_get_each_other_forwarded_and_the_others_a_mix() -> None:
    den = Den(4).run(10, {1: 0.25, 2: 0.125})
    den.run(50, {1: 0.25, 2: 0.125})
    assert {packet.source for packet in den.frames(1)} == {2}
    assert {packet.source for packet in den.frames(2)} == {1}
    for listener in (3, 4):
        assert {packet.source for packet in den.frames(listener)} == {MIX}
        assert [value(packet) for packet in den.frames(listener)] == [0.375] * 50
    assert sum(encoder.frames for encoder in den.codec.encoders) == den.conference.encodings <= 60 + PAST


def test_of_three_talkers_each_gets_the_other_two_mixed() -> None:
    den = Den(4).run(10, {1: 0.25, 2: 0.125, 3: 0.0625})
    den.run(50, {1: 0.25, 2: 0.125, 3: 0.0625})
    for listener, heard in ((1, 0.1875), (2, 0.3125), (3, 0.375), (4, 0.4375)):
        assert [(packet.source, value(packet)) for packet in den.frames(listener)] == [(MIX, heard)] * 50


@pytest.mark.parametrize("members", [4, 16, 64])
@pytest.mark.parametrize("talkers", [2, 3, 4])
def test_a_flat_room_costs_at_most_one_encoding_more_than_it_has_talkers(members: int, talkers: int) -> None:
    voices = dict.fromkeys(range(1, talkers + 1), 0.0625)
    den = Den(members).run(10, voices)
    before = den.conference.encodings
    den.run(20, voices)
    assert den.conference.encodings - before <= (talkers + 1) * 20
    if talkers == 2:  # the two get each other forwarded, one encoding serves all others
        assert den.conference.encodings - before == 20
    for listener in range(1, members + 1):
        assert len(den.frames(listener)) == 20


@pytest.mark.parametrize("members", [4, 16, 64])
@pytest.mark.parametrize("talkers", [2, 3, 4])
def test_listeners_of_another_bitrate_cost_one_encoding_more(members: int, talkers: int) -> None:
    den = Den(0)
    for number in range(members):
        den.enter((Quality.NORMAL, Quality.HIGH, Quality.SAVER)[number % 3])
    voices = dict.fromkeys(range(1, talkers + 1), 0.0625)
    den.run(10, voices)
    before = den.conference.encodings
    den.run(20, voices)
    assert den.conference.encodings - before <= (talkers + 2) * 20, "saver and normal are one bitrate"
    mixed_for_high = members > 4 or talkers > 2  # the second of two talkers gets the other one forwarded
    assert {encoder.bitrate for encoder in den.codec.encoders} == ({12_000, 24_000} if mixed_for_high else {12_000})
    for listener in range(1, members + 1):
        assert len(den.frames(listener)) == 20


def test_if_asked_to_it_mixes_every_row() -> None:
    den = Den(3, always_mix=True).run(10, {1: 0.25})
    den.run(50, {1: 0.25})
    assert den.conference.forwarded == 0
    assert not den.frames(1)
    for listener in (2, 3):
        assert [(packet.source, value(packet)) for packet in den.frames(listener)] == [(MIX, 0.25)] * 50
    den.run(20, {})
    assert not den.conference.mixing
    den.run(10, {1: 0.25, 2: 0.125}).run(10, {1: 0.25, 2: 0.125})
    assert {packet.source for listener in (1, 2, 3) for packet in den.frames(listener)} == {MIX}
    assert den.conference.forwarded == 0


@pytest.mark.parametrize("always_mix", [False, True])
def test_the_mix_begins_with_a_marker_and_ends_with_an_end(always_mix: bool) -> None:
    den = Den(3, always_mix=always_mix).run(20, {1: 0.25, 2: 0.125})
    mixed = [packet for packet in den.frames(3) if packet.source == MIX]
    assert [packet.marker for packet in mixed] == [True] + [False] * (len(mixed) - 1)
    ticks = [packet.tick for packet in mixed]
    assert ticks == [wrap(ticks[0] + step) for step in range(len(ticks))]
    den.run(20, {})
    ends = [packet for _, packet in den.got[3] if packet.end]
    assert [packet.source for packet in ends] == [MIX]
    assert not den.conference.mixing


def test_a_listeners_gains_are_applied_in_his_mix() -> None:
    den = Den(4)
    den.gain(3, 1, 0.5)
    den.gain(4, 1, 2.0)
    den.gain(4, 2, 0.0)
    den.run(10, {1: 0.25, 2: 0.125}).run(10, {1: 0.25, 2: 0.125})
    assert {value(packet) for packet in den.frames(3)} == {0.25}
    # 4 hears 1 alone, so 1 is forwarded to them, and their own program makes 1 louder
    assert {(packet.source, value(packet)) for packet in den.frames(4)} == {(1, 0.25)}


def test_one_muted_by_a_listener_is_not_sent_to_him() -> None:
    den = Den(3)
    den.gain(2, 1, 0.0)
    den.run(20, {1: 0.25})
    assert not den.got[2]
    assert len(den.frames(3)) == 20


# -- changing over ---------------------------------------------------------------------


def supplied(den: Den, listener: int) -> list[float]:
    """Ticks between two deliveries of sound in a row."""
    times = [at for at, packet in den.got[listener] if packet.payload]
    return [later - sooner for sooner, later in itertools.pairwise(times)]


@pytest.mark.parametrize("first", [0.02, 0.35, 0.7, 0.98])
@pytest.mark.parametrize("second", [0.01, 0.5, 0.99])
def test_from_forwarding_to_the_mix_and_back_nobody_waits_for_his_frame(first: float, second: float) -> None:
    den, phases = Den(4), {1: first, 2: second}
    script = [({1: 0.25}, 60), ({1: 0.25, 2: 0.125}, 30), ({1: 0.25}, 100), ({1: 0.25, 2: 0.125}, 5), ({1: 0.25}, 90)]
    for voices, ticks in script:
        for _ in range(ticks):
            den.step(voices, phases)
    for listener in (3, 4):
        mixed = [at for at, packet in den.got[listener] if packet.source == MIX and packet.payload]
        forwarded = [at for at, packet in den.got[listener] if packet.source == 1 and packet.payload]
        assert sum(packet.marker for packet in den.frames(listener) if packet.source == MIX) == 2
        # both ways overlap for some ticks at each of the four change-overs, so that the new decoder gets warm
        both = sum(any(abs(at - other) < 0.5 for other in mixed) for at in forwarded)
        assert 4 <= both <= 4 * (OVERLAP + WARM_WITH + 1)
        assert max(supplied(den, listener)) < 2
    assert {packet.source for packet in den.frames(2)} == {1}
    assert max(supplied(den, 2)) <= 1.0 + 1e-9


def test_what_is_said_during_the_change_over_reaches_the_listener() -> None:
    """Every frame of the first talker is forwarded or in the mix, but for one that may be concealed."""
    den = Den(3)
    said = [0.25 + step / 1024 for step in range(120)]
    for step, loudness in enumerate(said):
        den.step({1: loudness, 2: 2.0**-12} if 40 <= step < 60 else {1: loudness})
    heard = {round(value(packet) * 1024) for packet in den.frames(3)}
    missing = [step for step, loudness in enumerate(said[:110]) if round(loudness * 1024) not in heard]
    assert len(missing) <= 4


def test_one_who_enters_in_the_middle_of_a_word_hears_the_rest_of_it() -> None:
    den = Den(2).run(20, {1: 0.25})
    newcomer = den.enter()
    den.run(20, {1: 0.25})
    assert len(den.frames(newcomer)) >= 19
    assert {packet.source for packet in den.frames(newcomer)} == {1}


def test_one_who_enters_while_it_is_mixed_hears_the_mix() -> None:
    den = Den(3).run(20, {1: 0.25, 2: 0.125})
    newcomer = den.enter()
    den.run(20, {1: 0.25, 2: 0.125})
    assert [value(packet) for packet in den.frames(newcomer)][-18:] == [0.375] * 18


def test_one_who_comes_back_hears_the_rest_of_the_word() -> None:
    den = Den(3)
    den.change(3, away=True)
    den.run(20, {1: 0.25})
    assert not den.got[3]
    den.change(3, away=False)
    den.run(20, {1: 0.25})
    history = [packet.tick for packet in den.frames(3)][:WARM_WITH]
    assert len(den.frames(3)) == 20 + WARM_WITH
    assert [ahead(den.frames(3)[WARM_WITH].tick, tick) for tick in history] == [5, 4, 3, 2, 1]


def test_one_who_leaves_in_the_middle_of_a_mix_leaves_no_trace() -> None:
    den = Den(4).run(20, {1: 0.25, 2: 0.125})
    den.leave(2)
    den.run(10, {1: 0.25})
    for listener in (3, 4):
        assert [value(packet) for packet in den.frames(listener)] == [0.25] * 10
    den.run(60, {1: 0.25}).run(20, {1: 0.25})
    assert {packet.source for listener in (3, 4) for packet in den.frames(listener)} == {1}
    assert not den.got[2]


# -- nobody for nothing ----------------------------------------------------------------


@pytest.mark.parametrize("always_mix", [False, True])
def test_alone_in_the_room_nothing_is_decoded_encoded_or_sent(always_mix: bool) -> None:
    den = Den(1, always_mix=always_mix).run(100, {1: 0.5})
    assert not den.got
    assert den.codec.work == 0
    assert not den.codec.decoders
    assert not den.conference.mixing


@pytest.mark.parametrize("always_mix", [False, True])
@pytest.mark.parametrize("how", ["leave", "away"])
def test_left_alone_in_the_middle_of_a_mix_nothing_more_is_decoded_encoded_or_sent(always_mix: bool, how: str) -> None:
    den = Den(3, always_mix=always_mix).run(20, {1: 0.25, 2: 0.125, 3: 0.0625})
    for source in (2, 3):
        if how == "leave":
            den.leave(source)
        else:
            den.change(source, away=True)
            del den.sending[source]
    work = den.codec.work
    den.run(50, {1: 0.25})
    assert den.codec.work == work
    assert not any(den.frames(listener) for listener in (1, 2, 3))
    assert not den.conference.mixing


@pytest.mark.parametrize("voices", [{1: 0.25}, {1: 0.25, 2: 0.125}], ids=["forwarded", "mixed"])
@pytest.mark.parametrize("always_mix", [False, True])
@pytest.mark.parametrize("state", ["away", "deafened"])
def test_the_absent_and_the_deafened_get_nothing_and_cost_nothing(
    voices: dict[int, float], always_mix: bool, state: str
) -> None:
    den = Den(4, always_mix=always_mix).run(20, voices)
    den.change(3, **{state: True})
    den.run(20, voices)
    assert not den.frames(3)
    assert len([packet for _, packet in den.got[3] if packet.end]) <= 1
    assert len(den.frames(4)) == 20
    den.run(20, voices)
    assert not den.got[3]
    den.change(3, **{state: False})
    den.run(20, voices)
    assert len(den.frames(3)) >= 19


def test_a_room_of_the_deafened_is_neither_decoded_nor_encoded() -> None:
    den = Den(4)
    for listener in (1, 2, 3, 4):
        den.change(listener, deafened=True)
    den.run(20, {1: 0.25, 2: 0.125, 3: 0.0625})
    assert den.codec.work == 0
    assert not den.got


def test_a_silent_room_needs_no_beat() -> None:
    den = Den(4).run(20, {1: 0.25, 2: 0.125, 3: 0.0625}).run(10, {})
    assert not den.conference.mixing
    assert not den.conference.talking
    work = den.codec.work
    den.run(50, {})
    assert den.codec.work == work
    assert not any(den.got.values())


def test_it_knows_its_room_and_who_is_in_it() -> None:
    den = Den(3)
    assert den.conference.room is den.room
    assert len(den.conference) == 3
    den.leave(2)
    assert len(den.conference) == 2


# -- who talks -------------------------------------------------------------------------


def test_edges_tell_who_starts_and_stops() -> None:
    den = Den(3)
    den.step({1: 0.5})
    assert den.conference.edges() == [Edge(1, True)]
    den.step({1: 0.5, 2: 0.5})
    den.step({2: 0.5})
    assert den.conference.edges() == [Edge(2, True), Edge(1, False)]
    den.step({2: 0.5})
    assert den.conference.edges() == []
    assert den.conference.talking


def test_one_who_falls_silent_without_a_word_is_taken_to_have_stopped() -> None:
    den = Den(3).run(5, {1: 0.5})
    den.conference.edges()
    den.conference.expire(den.now + SILENT_AFTER - 2.0)
    assert den.conference.edges() == []
    den.conference.expire(den.now + SILENT_AFTER + 1.0)
    assert den.conference.edges() == [Edge(1, False)]
    assert not den.conference.talking


def test_a_straggler_behind_the_end_makes_nobody_talk() -> None:
    den = Den(3)
    sending = SendStream(PLAIN.encoder(12_000))
    packets = [sending.push(tick, constant(0.5)) for tick in range(65_530, 65_540)]
    end = sending.finish(65_540)
    for packet in packets[:-2]:
        den.arrive(1, packet, 0.0)
    den.arrive(1, end, 1.0)
    den.conference.edges()
    den.arrive(1, packets[-2], 1.1)
    assert den.conference.edges() == []
    assert not den.conference.talking
    den.arrive(1, sending.push(65_542, constant(0.5)), 2.0)
    assert den.conference.edges() == [Edge(1, True)]


def test_an_end_that_overtakes_its_whole_word_takes_none_of_it() -> None:
    den = Den(2).run(10, {1: 0.25}).run(5, {})
    den.got.clear()
    sending, first = SendStream(PLAIN.encoder(12_000)), den.now
    said = [sending.push(first + step, constant(0.5)) for step in range(4)]
    end = sending.finish(first + 4)
    for step, packet in enumerate([end, said[1], said[0], said[3], said[2]]):
        den.arrive(1, packet, den.now + step / 10)
    assert {packet.tick for packet in den.frames(2)} == {packet.tick for packet in said}
    den.conference.expire(den.now + SILENT_AFTER + 1.0)
    assert not den.conference.talking


def test_nobody_is_mixed_for_long_who_is_not_shown_to_talk() -> None:
    """With each frame before an end of its own, as no program sends them, it would not seem to be of a new word."""
    den = Den(3, always_mix=True).run(10, {1: 0.25})
    unseen = 0
    for _ in range(3 * SILENT_AFTER):
        den.conference.arrived(1, MediaPacket(ME, wrap(den.now + 1), b"", end=True), den.now + 0.1)
        den.conference.arrived(1, MediaPacket(ME, wrap(den.now), PLAIN.encoder(1).encode(constant(0.5))), den.now + 0.2)
        den.run(1, {})
        unseen = 0 if den.conference.talking else unseen + bool(den.frames(3))
        assert unseen <= SILENT_AFTER


# -- bad input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        MediaPacket(ME, 1, b"garbage"),
        MediaPacket(ME, 1, b"HC\0\0\xc0\x7f"),
        MediaPacket(ME, 1, PLAIN.encoder(1).encode(constant(0.5)), offset=1, redundant=b"garbage"),
    ],
    ids=["payload", "not a number", "redundancy"],
)
@pytest.mark.parametrize("voices", [{}, {2: 0.25}, {2: 0.25, 3: 0.125}], ids=["silent", "forwarded", "mixed"])
def test_garbage_costs_its_sender_a_wire_error_and_the_others_nothing(
    packet: MediaPacket, voices: dict[int, float]
) -> None:
    den, quiet = Den(5).run(20, voices), Den(5).run(20, voices)
    for _ in range(20):
        with pytest.raises(WireError):
            den.conference.arrived(1, packet, den.now + 0.1)
        den.step(voices)
        quiet.step(voices)
    assert den.got == quiet.got
    assert den.conference.edges() == quiet.conference.edges()


# -- nobody hears themselves --------------------------------------------------------------

EVENTS = st.one_of(
    st.tuples(st.just("talk"), st.integers(1, 5), st.integers(0, 3)),
    st.tuples(st.just("hush"), st.integers(1, 5), st.just(0)),
    st.tuples(st.just("ticks"), st.integers(1, 12), st.just(0)),
    st.tuples(st.just("ticks"), st.integers(40, 70), st.just(0)),
    st.tuples(st.just("gain"), st.integers(1, 5), st.integers(0, 24)),
    st.tuples(st.just("deafen"), st.integers(1, 5), st.integers(0, 1)),
    st.tuples(st.just("away"), st.integers(1, 5), st.integers(0, 1)),
    st.tuples(st.just("leave"), st.integers(3, 5), st.just(0)),
    st.tuples(st.just("enter"), st.just(0), st.just(0)),
)


class Play:
    """A play in which each talks with a loudness of their own, and people come, go and choose."""

    def __init__(self, loudness: Callable[[int], float], *, always_mix: bool) -> None:
        self.den = Den(5, always_mix=always_mix)
        self.talking: set[int] = set()
        self._loudness = loudness

    def ticks(self, count: int, _: int) -> None:
        members = self.den.room.members
        present = {who for who in self.talking if who in members and not members[who].away}
        for _tick in range(count):
            self.den.step({who: self._loudness(who) for who in present})

    def talk(self, who: int, _: int) -> None:
        self.talking.add(who)

    def hush(self, who: int, _: int) -> None:
        self.talking.discard(who)

    def gain(self, who: int, how: int) -> None:
        self.den.gain(who, how % 5 + 1, (0.0, 0.25, 0.5, 1.0, 1.0)[how // 5])

    def deafen(self, who: int, how: int) -> None:
        self.den.change(who, deafened=bool(how))

    def away(self, who: int, how: int) -> None:
        self.den.change(who, away=bool(how))

    def leave(self, who: int, _: int) -> None:
        self.den.leave(who)

    def enter(self, _: int, __: int) -> None:
        if len(self.den.room) < 8:
            self.den.enter()


def played(
    events: list[tuple[str, int, int]], loudness: Callable[[int], float], *, always_mix: bool
) -> dict[int, list[tuple[float, MediaPacket]]]:
    """What everybody got."""
    play = Play(loudness, always_mix=always_mix)
    for what, who, how in events:
        if what in {"ticks", "enter"} or who in play.den.room.members:
            getattr(play, what)(who, how)
    return play.den.got


@pytest.mark.parametrize("always_mix", [False, True])
@given(st.lists(EVENTS, max_size=40), st.integers(1, 5))
def test_nobody_ever_hears_himself(always_mix: bool, events: list[tuple[str, int, int]], who: int) -> None:
    """Whatever happens: what I am sent is the same, bit for bit, whether I say one thing or another."""
    said = played(events, lambda source: 0.01 * source, always_mix=always_mix)
    otherwise = played(events, lambda source: -0.01 * source if source == who else 0.01 * source, always_mix=always_mix)
    assert said[who] == otherwise[who]
    assert all(packet.source != who for _, packet in said[who])


@pytest.mark.parametrize("always_mix", [False, True])
@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_all_are_served_and_a_mix_is_the_sum_of_what_is_wanted(
    always_mix: bool, events: list[tuple[str, int, int]]
) -> None:
    got = played([*events, ("ticks", 60, 0)], lambda source: 2.0**-source / 4, always_mix=always_mix)
    for listener, packets in got.items():
        for at, packet in packets:
            if packet.payload:
                assert 0 <= value(packet) <= 0.25
            assert packet.source in (MIX, 1, 2, 3, 4, 5, 6, 7, 8)
            assert packet.source != listener
            assert at % 1 == (0.0 if packet.source == MIX else 0.5)
