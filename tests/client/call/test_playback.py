"""From packets to the loudspeaker, on the sound card's beat; frames are single values."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.client.player import Player, pass_time
from tests.memory import VoiceReactor
from voicechat.client.call.playback import GATHER
from voicechat.format import BLOCK_SAMPLES, BLOCK_SECONDS, FRAME_SAMPLES, SAMPLE_RATE, TICK_SECONDS, TICKS_PER_SECOND
from voicechat.media.gate import PRE_ROLL_FRAMES
from voicechat.media.packet import MediaPacket
from voicechat.media.sending import SendStream
from voicechat.testing import MemoryCodec

QUIET = 0.0002
"""A pre-roll's samples: -74 dBFS."""


class Talker:
    """Sends frames of rising value straight into a player's playback."""

    def __init__(self, player: Player, source: int = 2) -> None:
        self.player = player
        self.sent: list[float] = []
        self._source = source
        self._voice = SendStream(MemoryCodec().encoder(0), source)
        self._tick = 100

    def frame(self) -> MediaPacket:
        """The next frame, not sent yet."""
        value = round(0.1 + len(self.sent) / 1000, 4)
        self.sent.append(value)
        self._tick += 1
        return self._voice.push(self._tick, np.full(FRAME_SAMPLES, value, np.float32))

    def say(self, packet: MediaPacket | None = None) -> None:
        """A packet arrives."""
        self.player.call.playback.arrived(packet or self.frame())

    def talk(self, frames: int, late: float = 0.0) -> None:
        """A frame each 20 ms, ``late`` seconds after its moment."""
        for _ in range(frames):
            packet = self.frame()
            pass_time([self.player], late)
            self.say(packet)
            pass_time([self.player], TICK_SECONDS - late)

    def begin(self) -> None:
        """The first word of a spurt arrives, after its pre-roll: it takes a third of a millisecond to encode each."""
        self._tick -= PRE_ROLL_FRAMES
        for _ in range(PRE_ROLL_FRAMES):
            self._tick += 1
            self.say(self._voice.push(self._tick, np.full(FRAME_SAMPLES, QUIET, np.float32)))
            self.player.reactor.advance(GATHER / PRE_ROLL_FRAMES)
        self.say()
        pass_time([self.player], TICK_SECONDS - GATHER)

    def wait(self, ticks: int, *, card: bool = True) -> None:
        """Say nothing for so long; ``card``: it goes on meanwhile."""
        self._tick += ticks
        if card:
            pass_time([self.player], ticks * TICK_SECONDS)
        else:
            self.player.reactor.advance(ticks * TICK_SECONDS)

    def hush(self) -> None:
        """The spurt is over."""
        end = self._voice.finish(self._tick + 1)
        assert end is not None
        self.say(end)


class LaterReactor(VoiceReactor):
    """What another thread asks for is done when its turn comes."""

    def callFromThread(self, callable: Callable[[], None]) -> None:  # noqa: A002  Twisted's name
        self.callLater(0.0, callable)


@dataclass
class Card:
    """A sound card that takes blocks when a period of its own is over, as many as it then has room for."""

    since: float
    period: int
    phase: float
    """Of a period."""
    taken: int = 0

    def blocks(self, now: float) -> int:
        """How many blocks it takes now."""
        periods = math.floor((now - self.since) * SAMPLE_RATE / self.period + self.phase + 1e-6)
        return periods * self.period // BLOCK_SAMPLES - self.taken


@pytest.fixture
def ann() -> Player:
    player = Player()
    pass_time([player], 0.05)
    player.played.clear()
    return player


def in_order(played: list[float]) -> list[float]:
    """The values played, each frame's two blocks once, silence left out."""
    voiced = [value for value in played if value]
    assert voiced[::2] == voiced[1::2], "both halves of each frame"
    return voiced[::2]


def test_a_steady_talker_is_played_frame_by_frame(ann: Player) -> None:
    ben = Talker(ann)
    ben.talk(100)
    ben.hush()
    pass_time([ann], 0.2)
    assert in_order(ann.played) == ben.sent
    assert ann.bridge.underruns == 0
    assert not ann.bridge.playing


@pytest.mark.parametrize("phase", range(10))
def test_a_spurt_begins_soon_at_any_moment_of_the_card(ann: Player, phase: int) -> None:
    pass_time([ann], phase / 1000)
    before = len(ann.played)
    ben = Talker(ann)
    ben.talk(25)
    ben.hush()
    pass_time([ann], 0.2)
    first = next(n for n, value in enumerate(ann.played) if value) - before
    assert first * BLOCK_SECONDS <= 0.03
    assert in_order(ann.played) == ben.sent
    assert ann.bridge.underruns == 0


def test_between_spurts_nothing_is_asked_for(ann: Player) -> None:
    ben = Talker(ann)
    for _ in range(3):
        ben.talk(10)
        ben.hush()
        pass_time([ann], 0.5)
        assert not ann.bridge.playing
        assert not ann.bridge.asked
    assert ann.bridge.underruns == 0
    assert ann.call.hearing.counts.concealed == 0


def test_a_frame_that_never_comes_is_concealed_and_time_goes_on(ann: Player) -> None:
    ben = Talker(ann)
    ben.talk(20)
    ben.frame()
    pass_time([ann], TICK_SECONDS)
    ben.talk(20)
    ben.hush()
    pass_time([ann], 0.3)
    assert ann.call.hearing.counts.concealed == 1
    missing = ben.sent[20]
    assert missing not in in_order(ann.played)
    assert in_order(ann.played)[-1] == ben.sent[-1]


def test_of_a_frame_that_comes_a_little_late_the_second_half_is_heard(ann: Player) -> None:
    ben = Talker(ann)
    ben.talk(20)
    late = ben.frame()
    before, underruns = ann.call.hearing.counts.concealed, ann.bridge.underruns
    while ann.call.hearing.counts.concealed == before:  # its time has come, and it has not
        pass_time([ann], BLOCK_SECONDS / 10)
    pass_time([ann], 0.002)
    ben.say(late)
    pass_time([ann], TICK_SECONDS)
    ben.talk(10)
    ben.hush()
    pass_time([ann], 0.2)
    first = ann.played.index(ben.sent[19]) + 2
    made_up, true = ann.played[first : first + 2]
    assert made_up == pytest.approx(ben.sent[19] / 2, abs=1e-3)
    assert true == pytest.approx(made_up / 4 + ben.sent[20] * 3 / 4, abs=1e-3)  # half of it is the change-over
    assert ann.bridge.underruns == underruns
    assert ben.sent[-1] in ann.played[first:]


def test_a_card_that_calls_twice_at_once_gets_whole_frames(ann: Player) -> None:
    ben, block = Talker(ann), np.zeros(BLOCK_SAMPLES, np.float32).tobytes()

    def beat(late: bool = False) -> None:
        packet = ben.frame()
        if not late:
            ben.say(packet)
        ann.reactor.advance(TICK_SECONDS / 2)
        for _ in range(2):
            ann.bridge.exchange(block)
            ann.reactor.advance(0)
        ann.reactor.advance(TICK_SECONDS / 2)

    for _ in range(25):
        beat()
    concealed, underruns = ann.call.hearing.counts.concealed, ann.bridge.underruns
    beat(late=True)
    for _ in range(25):
        beat()
    assert ann.call.hearing.counts.concealed > concealed
    assert ann.bridge.underruns == underruns


@pytest.mark.parametrize("phase", range(20))
def test_the_first_word_is_as_soon_as_all_that_follow(ann: Player, phase: int) -> None:
    pass_time([ann], phase / 1000)
    ben = Talker(ann)
    ben.talk(20)
    ben.hush()
    ben.wait(30)
    ann.played.clear()
    ben.begin()
    ben.talk(20)
    ben.hush()
    pass_time([ann], 0.2)
    words = ben.sent[-21:]
    assert in_order([value for value in ann.played if value > QUIET]) == words, "no word is hurried after a late first"
    assert ann.bridge.underruns == 0


def test_what_came_while_the_card_stood_still_is_over_when_it_is_back(ann: Player) -> None:
    ben = Talker(ann)
    ben.talk(20)
    ben.hush()
    ben.wait(30)
    ben.wait(10, card=False)
    for _ in range(5):
        ben.say()
        ann.reactor.advance(TICK_SECONDS)
    ben.hush()
    assert not ann.bridge.playing
    ann.played.clear()
    ben.wait(20)
    assert ben.sent[-1] in ann.played, "the last of it is heard"
    assert not ann.call.hearing.active, "or the next spurt would begin with it"
    ann.played.clear()
    ben.begin()
    ben.talk(20)
    ben.hush()
    pass_time([ann], 0.2)
    assert in_order([value for value in ann.played if value > QUIET]) == ben.sent[-21:]


@pytest.mark.parametrize("period", [256, 441, 480, 512, 960, 1024, 2048])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.7])
def test_a_card_with_periods_of_its_own_gets_every_frame_and_plays_it_whole(period: int, phase: float) -> None:
    ann = Player(reactor=LaterReactor())
    mine, theirs = (Card(ann.reactor.seconds(), period, part) for part in (0.0, phase))
    ben, block = Talker(ann), np.zeros(BLOCK_SAMPLES, np.float32).tobytes()
    for _ in range(6 * TICKS_PER_SECOND * 20):
        for _ in range(theirs.blocks(ann.reactor.seconds()) // 2):
            ben.say()
            theirs.taken += 2
        for _ in range(mine.blocks(ann.reactor.seconds())):
            out = ann.bridge.exchange(block)
            ann.played.append(round(float(np.frombuffer(out, np.float32).mean()), 4))
            mine.taken += 1
        ann.reactor.advance(TICK_SECONDS / 20)
    settled = ann.played.index(ben.sent[2 * TICKS_PER_SECOND])  # it knows the card by then
    heard = ann.played[settled : settled + (len(ann.played) - settled) // 2 * 2]
    assert 0.0 not in heard
    played = in_order(heard)
    first = ben.sent.index(played[0])
    assert played == ben.sent[first : first + len(played)]
    assert first + len(played) > len(ben.sent) - 12, "nor do they lie about"


def test_two_at_once_are_added(ann: Player) -> None:
    ben, cid = Talker(ann, 2), Talker(ann, 3)
    for _ in range(30):
        ben.say()
        cid.say()
        pass_time([ann], TICK_SECONDS)
    assert ann.played[-1] == pytest.approx(2 * ben.sent[-1], abs=0.01)


def test_a_card_that_stands_still_gets_nothing_prepared_and_goes_on_when_it_is_back(ann: Player) -> None:
    ann.reactor.advance(2.0)
    ben = Talker(ann)
    for _ in range(20):
        ben.say()
        ann.reactor.advance(TICK_SECONDS)
    assert not ann.bridge.playing
    pass_time([ann], 0.1)
    ben.talk(25)
    assert ann.played[-1] == pytest.approx(ben.sent[-1], abs=0.005), "what is said now, not what was missed"


def test_stopping_ends_all_calls(ann: Player) -> None:
    ben = Talker(ann)
    ben.say()
    ann.call.playback.stop()
    ann.call.playback.stop()
    assert not ann.reactor.getDelayedCalls()
    ben.talk(5)
    ann.call.playback.stop()
    assert not ann.reactor.getDelayedCalls()
    assert not ann.bridge.playing
