"""Short words: whoever is mixed for hears each of them whole, however deep the server holds the talker's stream.

Everybody's frames are stamped (`tests.conversations.simulation`), so that a mix tells whose frame of
which tick it carries.
"""

import heapq
import itertools
import random
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversations.simulation import StampCodec, read, stamped
from voicechat.format import silent_frame
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.sending import SendStream
from voicechat.rooms.conference import Conference, Delivery
from voicechat.rooms.room import Room

WARM = 60
"""Ticks of talk from which the server learns how deep to hold each stream."""

PAUSE = 100
"""Ticks after which all that was said must have been sent: the deepest delay, one who falls silent without a word."""

Word = tuple[int, int, int]
"""Who says it, after how many ticks, and how many frames it has."""


class Heard(msgspec.Struct):
    """What one listener was sent of one talker."""

    forwarded: set[int] = msgspec.field(default_factory=set)
    mixed: list[int] = msgspec.field(default_factory=list)
    """Ticks of the frames that came as they were said."""
    made_up: int = 0
    """Frames of the mix with something of theirs that is none of these: concealed, or two merged."""


class Den:
    """A room in which packets arrive when they may, and the beat comes while it is needed."""

    def __init__(self, members: int, *, always_mix: bool, chance: random.Random) -> None:
        codec, self.room = StampCodec(), Room("den")
        self.conference = Conference(self.room, codec, 12_000, always_mix=always_mix)
        self.sending: dict[int, SendStream] = {}
        for _ in range(members):
            source = self.room.enter("x", 0.0).source
            self.conference.add(source)
            self.sending[source] = SendStream(codec.encoder(12_000))
        self.heard: defaultdict[tuple[int, int], Heard] = defaultdict(Heard)
        """By listener and talker."""
        self.newest: dict[int, MediaPacket] = {}
        """The last mixed packet that each listener got."""
        self.said: defaultdict[int, set[int]] = defaultdict(set)
        """What of everybody's frames came to the server."""
        self.deliveries = self.dropped = 0
        self.now = 0
        self._chance = chance
        self._coming: list[tuple[float, int, int, MediaPacket]] = []
        self._order = itertools.count()
        self._last: defaultdict[int, float] = defaultdict(float)
        """When the last packet of each comes."""
        self.first: dict[int, int] = {}
        """When each listener got the first mixed frame."""

    def run(
        self, ticks: int, words: list[Word], jitter: float, loss: float = 0.0, *, overtaking: bool = False
    ) -> "Den":
        """So many ticks; all that was said before is forgotten. ``overtaking``: packets jitter each by itself."""
        self.dropped = self.conference.counts.dropped
        self.heard.clear()
        self.said.clear()
        self.first.clear()
        start = self.now
        for self.now in range(start, start + ticks):
            if self.conference.mixing:
                self._deliver(self.conference.tick(self.now))
            for source, sending in self.sending.items():
                talks = any(who == source and 0 <= self.now - start - at < length for who, at, length in words)
                frame = stamped(source, self.now)
                packet = sending.push(self.now, frame) if talks else sending.finish(self.now)
                if packet is not None and self._chance.random() >= loss:
                    at = self.now + 0.1 + jitter * self._chance.random()
                    if not overtaking:
                        at = self._last[source] = max(self._last[source], at)
                    heapq.heappush(self._coming, (at, next(self._order), source, packet))
            while self._coming and self._coming[0][0] < self.now + 1:
                at, _, source, packet = heapq.heappop(self._coming)
                if packet.payload:
                    self.said[source].add(packet.tick)
                self._deliver(self.conference.arrived(source, packet, at))
        self.now += 1
        return self

    def _deliver(self, deliveries: list[Delivery]) -> None:
        self.deliveries += len(deliveries)
        for listeners, packet in deliveries:
            assert packet.source not in listeners
            for listener in listeners:
                if packet.source == MIX:
                    self.newest[listener] = packet
                if packet.payload:
                    self._hear(listener, packet)

    def _hear(self, listener: int, packet: MediaPacket) -> None:
        frame = silent_frame()
        StampCodec().decoder().decode(packet.payload, frame)
        ticks = read(frame)
        if packet.source == MIX:
            self.first.setdefault(listener, self.now)
        else:
            self.heard[listener, packet.source].forwarded.add(ticks[packet.source])
            return
        for talker in self.sending:
            if talker in ticks:
                self.heard[listener, talker].mixed.append(ticks[talker])
            elif frame.reshape(-1, 16)[:, 2 * talker - 2 : 2 * talker].any():
                self.heard[listener, talker].made_up += 1


def warm(talkers: int, depth: float, *, always_mix: bool, chance: random.Random) -> Den:
    """A den of one listener more than talkers, whose streams have been mixed, and needed to be held so deep."""
    den = Den(talkers + 1, always_mix=always_mix, chance=chance)
    den.run(WARM, [(talker, 0, WARM) for talker in range(1, talkers + 1)], depth, overtaking=True)
    return den.run(PAUSE, [], depth)


def judge(den: Den, exactly: bool) -> None:
    """Everybody heard every frame that came of all others and none of their own, and all is silent."""
    dropped = den.conference.counts.dropped - den.dropped
    for listener, talker in itertools.product(den.sending, den.sending):
        heard = den.heard[listener, talker]
        if listener == talker:
            assert heard == Heard(), "somebody hears themselves"
            continue
        assert len(set(heard.mixed)) == len(heard.mixed), "a frame is in the mix once"
        missing = den.said[talker] - heard.forwarded - set(heard.mixed)
        assert len(missing) <= (0 if exactly else heard.made_up + dropped)
    assert not den.conference.mixing
    assert not den.conference.talking
    assert all(packet.end for packet in den.newest.values())
    deliveries, encodings = den.deliveries, den.conference.encodings
    den.run(PAUSE, [], 0.0)
    assert (den.deliveries, den.conference.encodings) == (deliveries, encodings)


LENGTHS = [1, 2, 4, 6, 8, 10, 12, 16]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_word_that_is_shorter_than_its_stream_is_deep_is_mixed_whole(length: int) -> None:
    den = warm(1, 10.0, always_mix=True, chance=random.Random(1))
    start = den.now
    den.run(PAUSE, [(1, 0, length)], 0.1)
    assert den.first[2] - start > 8, "so deep that a word of eight frames is over before"
    assert den.heard[2, 1] == Heard(mixed=[*range(start, start + length)])
    judge(den, exactly=True)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("later", [0, 1, 3])
def test_of_two_short_words_at_once_a_third_hears_both(length: int, later: int) -> None:
    den = warm(2, 10.0, always_mix=False, chance=random.Random(1))
    start = den.now
    den.run(PAUSE, [(1, 0, length), (2, later, length)], 0.1)
    assert den.first[3] - start > 8 if later < length else not den.first, "they are mixed if they meet"
    judge(den, exactly=True)


def test_what_is_due_to_nobody_any_more_is_never_heard() -> None:
    """They deafen while a word waits in its stream: the beat stops, and the next talker does not bring it back."""
    den = warm(2, 10.0, always_mix=True, chance=random.Random(1))
    den.run(6, [(1, 0, 6)], 0.1)
    assert den.conference.mixing
    for deafened in (True, False):
        for member in den.room.members.values():
            member.deafened = deafened
        den.conference.changed(float(den.now))
        den.run(3, [], 0.1)
        assert not den.conference.mixing
    start = den.now
    den.run(PAUSE, [(2, 0, 6)], 0.1)
    assert den.heard[3, 2] == Heard(mixed=[*range(start, start + 6)])
    assert den.heard[3, 1] == Heard()
    judge(den, exactly=True)


def test_who_begins_while_the_last_words_are_due_is_mixed_with_them() -> None:
    """Forwarded, they would end the mix after the overlap, and the last words with it."""
    den = warm(3, 10.0, always_mix=False, chance=random.Random(1))
    den.run(PAUSE, [(1, 0, 10), (2, 0, 10), (3, 12, 6)], 0.1)
    assert not den.heard[4, 3].forwarded
    judge(den, exactly=True)


@pytest.mark.parametrize("always_mix", [False, True])
@given(
    talkers=st.integers(1, 3),
    words=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60), st.integers(1, 20)), max_size=8),
    depth=st.floats(0, 12),
    jitter=st.sampled_from([0.1, 0.5, 1.0]),
    loss=st.sampled_from([0.0, 0.0, 0.1]),
    seed=st.integers(0, 1_000),
)
def test_whoever_says_whatever_short_words_all_others_hear_them(
    always_mix: bool, talkers: int, words: list[Word], depth: float, jitter: float, loss: float, seed: int
) -> None:
    """``jitter``: as a share of what the streams have learnt."""
    den = warm(talkers, depth, always_mix=always_mix, chance=random.Random(seed))
    den.run(80 + PAUSE, [word for word in words if word[0] <= talkers], jitter * depth, loss)
    judge(den, exactly=False)
