"""Whole calls in memory: microphone, bridge, call, sealed strings, a real server, and back to a loudspeaker."""

from typing import Any

import numpy as np
import pytest

from tests.client.player import PASSWORD, Host, Network, Player, pass_time
from tests.memory import VoiceReactor
from voicechat.client.call.voice import Voice
from voicechat.client.network.protocol import RemoteServer
from voicechat.format import BLOCK_SECONDS
from voicechat.media.loudness import Loudness
from voicechat.media.packet import MIX, MediaPacket
from voicechat.media.quality import Quality
from voicechat.security.secret import Secret
from voicechat.server.factory import VoiceServerFactory
from voicechat.server.hub import Hub
from voicechat.testing import MemoryCodec
from voicechat.wire import media, messages


class Evening:
    """Some players at one server."""

    def __init__(self, *names: str) -> None:
        self.reactor = VoiceReactor()
        self.hub = Hub(self.reactor, MemoryCodec(), Secret(PASSWORD))
        self.network = Network(self.reactor, VoiceServerFactory(self.hub))
        self.players: list[Player] = []
        for name in names:
            self.add(Player(name, reactor=self.reactor))

    def add(self, player: Player) -> Player:
        """One more."""
        player._taken = len(self.reactor.tcpClients)
        self.players.append(player)
        player.service.start()
        self.network.join(player)
        self.wait(0.3)
        assert player.entered == 1, player.err.getvalue()
        return player

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        pass_time(self.players, seconds, self.network.settle)

    def forget(self) -> None:
        """What was played before is of no interest."""
        for player in self.players:
            player.played.clear()


class Recorded:
    """A source or sink without a recording."""

    start_ns: int | None = None


def figures(player: Player) -> dict[str, Any]:
    return player.call.stats(Recorded(), Recorded())


@pytest.fixture
def two() -> Evening:
    return Evening("Ann", "Ben")


def test_what_one_says_the_other_hears(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(1.0)
    assert ben.played[-20:] == [0.25] * 20
    assert set(ann.played) == {0.0}


def test_it_is_heard_soon_and_all_of_it(two: Evening) -> None:
    ann, ben = two.players
    two.forget()
    ann.says = 0.25
    two.wait(0.5)
    silent = ben.played.index(0.25)
    assert silent * BLOCK_SECONDS <= 0.08, "a frame to capture, a frame ready, and little more"
    ann.says = 0.0
    two.wait(1.5)
    heard = sum(value == 0.25 for value in ben.played) * BLOCK_SECONDS
    assert 0.44 <= heard <= 0.52
    assert ben.bridge.underruns == 0


def test_who_is_soft_is_made_as_loud_as_all(two: Evening) -> None:
    _, ben = two.players
    cid = two.add(Player("Cid", reactor=two.reactor, voice=Voice(Loudness())))
    cid.says = 0.05
    two.wait(0.4)
    assert ben.played[-1] == pytest.approx(0.05)
    two.wait(4.0)
    assert ben.played[-1] == pytest.approx(0.1, rel=0.07), "-20 dBFS"


def test_a_friend_whose_microphone_returns_my_voice_is_named(two: Evening) -> None:
    """Ben's microphone hears their loudspeaker; Ann's voice has the ups and downs of a seeded chance."""
    ann, ben = two.players
    chance = np.random.default_rng(5)
    for _ in range(90):
        ann.says = float(chance.uniform(0.05, 0.5)) if chance.uniform() < 0.8 else 0.0
        for _ in range(6):
            two.wait(0.02)
            ben.says = 0.3 * ben.played[-1]
    assert "Ben's microphone returns your voice: headphones would end that" in ann.lines
    assert not [line for line in ben.lines if "microphone" in line], "their own is the one"


def test_a_word_after_a_pause_keeps_its_beginning(two: Evening) -> None:
    """The gate's pre-roll goes before it; what it brings late is caught up with."""
    ann, ben = two.players
    for _ in range(3):
        two.forget()
        ann.says = 0.25
        two.wait(0.3)
        ann.says = 0.0
        two.wait(1.2)
        assert sum(value > 0.2 for value in ben.played) * BLOCK_SECONDS > 0.25
        assert ben.played[-1] == 0.0


def test_savers_hear_all_of_it_too_one_frame_later() -> None:
    evenings = [Evening(), Evening()]
    heard, packets = [], []
    for evening, quality in zip(evenings, (Quality.NORMAL, Quality.SAVER), strict=True):
        ann, ben = (evening.add(Player(name, reactor=evening.reactor, quality=quality)) for name in ("Ann", "Ben"))
        for _ in range(2):  # the first words teach the other side how the packets come
            evening.wait(2.0)
            evening.forget()
            before = _sent(ann)
            ann.says = 0.25
            evening.wait(1.5)
            ann.says = 0.0
            evening.wait(1.5)
        packets.append(_sent(ann) - before)
        heard.append((ben.played.index(0.25), sum(value == 0.25 for value in ben.played)))
        assert ben.call.hearing.counts.recovered == 0
        assert ben.bridge.underruns == 0
    (usual, saver) = heard
    assert packets[1] < 0.6 * packets[0]
    assert abs(saver[1] - usual[1]) <= 4
    assert 0 <= saver[0] - usual[0] <= 4


def _sent(player: Player) -> int:
    assert player.call.connection is not None
    return player.call.connection.traffic()["packets_out"]


def test_loss_ends_pairs_and_brings_redundancy(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = Player(quality=Quality.SAVER)
    ann.service.start()
    host = ann.accepted()
    host.let_in(messages.Welcome(1, "Ann", "", 7, [messages.Participant(2, "Ben")], quality=Quality.SAVER))
    ann.says = 0.25
    pass_time([ann], 1.0)
    sent = [packet for packet in host.received() if isinstance(packet, MediaPacket)]
    assert sum(packet.pair for packet in sent) >= len(sent) - 2
    monkeypatch.setattr(RemoteServer, "redundancy", 1)
    pass_time([ann], 1.0)
    sent = [packet for packet in host.received() if isinstance(packet, MediaPacket)]
    assert sum(packet.pair for packet in sent) <= 1
    assert sum(packet.offset == 1 for packet in sent) >= 45


def test_silence_sends_nothing(two: Evening) -> None:
    ann, _ = two.players
    two.wait(1.0)
    before = figures(ann)["packets"]["out"]
    two.wait(5.0)
    assert figures(ann)["packets"]["out"] - before <= 2, "heartbeats"
    assert figures(ann)["frames"]["sent"] == 0


def test_nothing_is_encoded_for_nobody() -> None:
    alone = Evening("Ann")
    (ann,) = alone.players
    ann.says = 0.25
    alone.wait(1.0)
    assert figures(ann)["frames"]["sent"] == 0
    alone.add(Player("Ben", reactor=alone.reactor))
    alone.wait(0.5)
    assert alone.players[1].played[-1] == 0.25


def test_three_hear_each_other_as_a_mix() -> None:
    evening = Evening("Ann", "Ben", "Cid", "Dan")
    for player, value in zip(evening.players, (0.1, 0.2, 0.4), strict=False):
        player.says = value
    evening.wait(1.0)
    assert [player.played[-1] for player in evening.players] == [0.6, 0.5, 0.3, 0.7]


def test_changing_between_forwarding_and_a_mix_leaves_no_hole() -> None:
    evening = Evening("Ann", "Ben", "Cid")
    ann, ben, cid = evening.players
    ann.says = 0.2
    evening.wait(1.0)
    evening.forget()
    ben.says = 0.4
    evening.wait(1.0)
    ben.says = 0.0
    evening.wait(2.5)
    assert min(cid.played) >= 0.1, "Ann is always there"
    assert max(cid.played) == 0.6


def test_people_are_told_of(two: Evening) -> None:
    ann, ben = two.players
    cid = two.add(Player("Cid", reactor=two.reactor))
    ben.says = 0.25
    two.wait(0.5)
    ben.says = 0.0
    two.wait(1.0)
    cid.service.stop()
    two.network.settle()
    assert ann.lines == [
        "you are in as Ann; nobody else is here yet",
        "Ben joined",
        "Cid joined",
        "Ben talks",
        "Ben stops",
        "Cid left",
    ]
    assert cid.lines[0] == "you are in as Cid, with Ann, Ben"


def test_a_broken_line_is_mended_by_ticket(two: Evening) -> None:
    ann, ben = two.players
    two.network.cut(1)
    two.wait(1.0)
    two.network.join(ben)
    two.wait(0.5)
    assert ann.lines[-2:] == ["Ben is away (line broken)", "Ben is back"]
    assert figures(ben)["pakes"] == 1
    assert figures(ben)["reconnects"] == 1
    ann.says = 0.25
    two.wait(0.5)
    assert ben.played[-1] == 0.25
    assert ben.entered == 2


def test_whose_number_is_somebody_elses_after_a_reconnect_is_forgotten(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(1.0)
    source = ann.call.source
    assert ben.call.hearing.talkers == [source]
    connection = ben.call.connection
    assert connection is not None
    for name, known in (("Ann", [source]), ("Zoe", [])):
        roster = [messages.Participant(source, name)]
        ben.call.entered(connection, messages.Welcome(ben.call.source, "Ben", "", 1, roster))
        assert ben.call.hearing.talkers == known


def test_a_stall_of_two_seconds_leaves_no_delay_behind(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(1.0)
    settle, two.network.settle = two.network.settle, lambda: None  # type: ignore[method-assign]
    two.wait(2.0)
    two.network.settle = settle  # type: ignore[method-assign]
    two.network.settle()
    two.wait(0.9)
    ann.says = 0.5
    two.forget()
    two.wait(0.5)
    assert ben.played.index(0.5) * BLOCK_SECONDS <= 0.1


def test_the_figures_add_up(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(1.0)
    ann.says = 0.0
    two.wait(1.0)
    frames, sent = figures(ben)["frames"], figures(ann)["frames"]["sent"]
    assert 50 < sent < 75
    assert frames["played"] + frames["dropped"] == sent
    assert figures(ben)["sources"] == {"Ann": frames["played"]}
    assert figures(ben)["bytes"]["in"] > sent * 30
    assert figures(ben)["underruns"] == figures(ben)["overruns"] == 0
    assert 20 <= figures(ben)["playout_delay_ms"] + 20 <= 80


def test_a_recording_that_never_began_has_no_stamp(two: Evening) -> None:
    assert figures(two.players[0])["wav"] == {"in_start_ns": None, "out_start_ns": None}


def test_goodbye_is_said_to_the_server(two: Evening) -> None:
    ann, ben = two.players
    ann.service.stop()
    two.network.settle()
    two.wait(0.1)
    assert len(two.hub.seats) == 1
    assert ben.lines[-1] == "Ann left"
    assert ann.ended is None, "the one who stops it knows why"


class TestAgainstAHost:
    """What a server may do to a call."""

    @pytest.fixture
    def ann(self) -> Player:
        """A player who has asked for a connection, and whose sound card runs."""
        player = Player()
        pass_time([player], 0.05)
        player.service.start()
        return player

    def test_our_own_voice_is_a_violation(self, ann: Player) -> None:
        host: Host = ann.accepted()
        host.let_in()
        host.tell_bytes(media.encode(MediaPacket(1, 1, b"HC\0\0\0\0", marker=True)))
        assert host.transport.aborted

    def test_a_talker_nobody_announced_is_heard_and_counted_by_number(self, ann: Player) -> None:
        host: Host = ann.accepted()
        host.let_in()
        for tick in range(5):
            host.tell_bytes(media.encode(MediaPacket(77, tick, b"HC\0\0\0\x3f", marker=not tick)))
            pass_time([ann], 0.02)
        pass_time([ann], 0.5)
        assert 0.5 in ann.played
        assert figures(ann)["sources"] == {"#77": 5}

    def test_the_mix_counts_for_those_who_talk(self, ann: Player) -> None:
        host: Host = ann.accepted()
        host.let_in()
        host.tell(messages.Talk(2, talking=True))
        for tick in range(5):
            host.tell_bytes(media.encode(MediaPacket(MIX, tick, b"HC\0\0\0\0", marker=not tick)))
        assert figures(ann)["sources"] == {"Ben": 5}

    def test_a_flood_of_news_does_not_flood_the_terminal(self, ann: Player) -> None:
        host: Host = ann.accepted()
        host.let_in()
        for n in range(2000):
            host.tell(messages.Talk(2, talking=not n % 2))
            host.tell(messages.Text(f"buy {n}", 2))
        ann.reactor.advance(1.0)
        assert len(ann.lines) < 200

    def test_what_is_remembered_of_people_is_bounded(self, ann: Player) -> None:
        host: Host = ann.accepted()
        host.let_in()
        for n in range(2000):
            host.tell(messages.Joined(messages.Participant(3, f"somebody {n}")))
            host.tell(messages.Left(3))
        assert len(figures(ann)["sources"]) < 500
