"""What a player can do to their own call."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.client.call.test_call import Evening, figures
from tests.client.player import Host, Player, pass_time
from voicechat.client.call.chat import LINES_AT_ONCE
from voicechat.client.call.controls import STUCK, Controls
from voicechat.client.call.friendvolumes import SAVE_AFTER
from voicechat.client.call.transmit import TransmitMode
from voicechat.client.call.volumes import LOUDEST_DB, SOFTEST_DB, Volumes
from voicechat.errors import ControlError
from voicechat.media.gate import GateMode
from voicechat.wire import messages


@pytest.fixture
def two() -> Evening:
    return Evening("Ann", "Ben")


@pytest.fixture
def ann() -> Player:
    player = Player()
    pass_time([player], 0.05)
    player.service.start()
    return player


def told(host: Host, kind: type[Any]) -> list[Any]:
    return [message for message in host.received() if isinstance(message, kind)]


# mute and deafen


def test_who_is_muted_is_not_heard_and_their_friends_know(two: Evening) -> None:
    ann, ben = two.players
    ann.controls.mute()
    ann.says = 0.25
    two.wait(1.0)
    assert set(ben.played) == {0.0}
    assert ben.lines[-1] == "Ann is muted"
    ann.controls.unmute()
    two.wait(0.5)
    assert ben.played[-1] == 0.25
    assert "Ann is unmuted" in ben.lines


def test_mute_in_the_middle_of_a_word_is_at_once(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(1.0)
    ann.controls.mute()
    two.wait(0.1)
    two.forget()
    two.wait(0.5)
    assert set(ben.played) == {0.0}


def test_nothing_is_sent_to_the_deafened_and_nothing_played(two: Evening) -> None:
    ann, ben = two.players
    ann.says = 0.25
    two.wait(3.0)  # the way to them is measured
    ben.controls.deafen()
    two.forget()
    two.wait(0.1)
    assert ben.played[-5:] == [0.0] * 5, "at once, whatever is still on its way"
    before = figures(ben)["packets"]["in"]
    two.wait(2.0)
    assert figures(ben)["packets"]["in"] - before <= 2, "heartbeats"
    assert set(ben.played[10:]) == {0.0}
    assert ann.lines[-1] == "Ben is deafened"
    ben.controls.undeafen()
    two.wait(0.5)
    assert ben.played[-5:] == [0.25] * 5
    assert ann.lines[-1] == "Ben listens again"


def test_a_mixed_room_is_heard_again_after_deafening() -> None:
    evening = Evening("Ann", "Ben", "Cid")
    ann, ben, cid = evening.players
    ann.says, ben.says = 0.25, 0.5
    evening.wait(1.0)
    cid.controls.deafen()
    evening.wait(1.0)
    assert cid.played[-20:] == [0.0] * 20
    cid.controls.undeafen()
    evening.wait(0.5)
    assert cid.played[-5:] == [0.75] * 5


@pytest.mark.parametrize("muted", [False, True])
def test_undeafened_one_is_muted_as_before(ann: Player, muted: bool) -> None:
    controls = ann.controls
    if muted:
        controls.mute()
    controls.toggle_deafen()
    assert (controls.muted, controls.deafened) == (True, True)
    controls.deafen()
    controls.toggle_deafen()
    assert (controls.muted, controls.deafened) == (muted, False)
    controls.undeafen()
    assert (controls.muted, controls.deafened) == (muted, False)


def test_to_unmute_while_deafened_is_to_listen_again(ann: Player) -> None:
    ann.controls.deafen()
    ann.controls.toggle_mute()
    assert (ann.controls.muted, ann.controls.deafened) == (False, False)


def test_mute_while_deafened_lasts(ann: Player) -> None:
    ann.controls.deafen()
    ann.controls.mute()
    ann.controls.undeafen()
    assert (ann.controls.muted, ann.controls.deafened) == (True, False)


def test_the_room_is_told_at_the_first_entering_and_again_after_each(ann: Player) -> None:
    ann.controls.deafen()
    host: Host = ann.accepted()
    host.let_in()
    assert told(host, messages.State) == [messages.State(muted=True, deafened=True)]
    host.lose()
    ann.controls.unmute()
    ann.reactor.advance(2.0)
    host = ann.accepted()
    host.let_in()
    assert told(host, messages.State) == [messages.State()], "the seat may have been kept as it was"


def test_who_never_muted_tells_nothing(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    assert told(host, messages.State) == []


# the key


@pytest.mark.parametrize(
    ("mode", "let_go", "held"),
    [
        (TransmitMode.VOICE, GateMode.VOICE, GateMode.OPEN),
        (TransmitMode.PUSH, GateMode.SHUT, GateMode.OPEN),
        (TransmitMode.PUSH_TO_MUTE, GateMode.VOICE, GateMode.MUTED),
    ],
)
def test_what_the_key_does(mode: TransmitMode, let_go: GateMode, held: GateMode) -> None:
    ann = Player(mode=mode)
    gate, controls = ann.bridge.gate, ann.controls
    assert gate.mode is let_go
    for press, release in ((controls.ptt_down, controls.ptt_up), (controls.ptt_toggle, controls.ptt_toggle)):
        press()
        assert gate.mode is held
        assert controls.status().key_held
        release()
        assert gate.mode is let_go
    controls.mute()
    controls.ptt_down()
    assert gate.mode is GateMode.MUTED, "muted is muted"
    controls.unmute()
    assert gate.mode is held


def test_push_to_talk_is_heard_while_the_key_is_held_and_a_little_longer() -> None:
    evening = Evening("Ben")
    ann = evening.add(Player("Ann", reactor=evening.reactor, mode=TransmitMode.PUSH))
    ben = evening.players[0]
    ann.says = 0.25
    evening.wait(1.0)
    assert set(ben.played) == {0.0}
    evening.forget()
    ann.controls.ptt_down()
    evening.wait(0.5)
    ann.controls.ptt_up()
    evening.wait(1.0)
    assert 0.68 <= sum(value > 0.1 for value in ben.played) * 0.01 <= 0.78


def test_a_stuck_key_times_out_and_a_repeating_one_does_not(ann: Player) -> None:
    controls = ann.controls
    controls.ptt_down()
    ann.reactor.advance(STUCK - 1)
    controls.ptt_down()
    ann.reactor.advance(STUCK - 1)
    assert controls.key_held
    ann.reactor.advance(2)
    assert not controls.key_held
    assert "stuck" in ann.lines[-1]
    controls.ptt_toggle()
    ann.reactor.advance(10 * STUCK)
    assert controls.key_held, "who latched it meant it"


# friends


def test_a_friends_volume_is_heard_and_told_to_the_server(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.controls.volume("ben", -6.0)
    ann.controls.volume("Ben", None)
    gains = told(host, messages.Gain)
    assert [gain.source for gain in gains] == [2, 2]
    assert gains[0].gain == pytest.approx(0.501, abs=0.001)
    assert gains[1].gain == 0.0
    assert ann.controls.volumes() == {"Ben": None}
    assert ann.controls.status().friends[0].volume_db is None
    ann.controls.volume("Ben", 0.0)
    assert ann.controls.volumes() == {}
    assert told(host, messages.Gain) == [messages.Gain(2, 1.0)]


def test_it_is_sent_anew_when_they_come_again_and_after_a_new_login(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.controls.volume("Ben", None)
    host.tell(messages.Left(2))
    host.tell(messages.Joined(messages.Participant(3, "Ben")))
    assert [gain.source for gain in told(host, messages.Gain)] == [2, 3]
    host.lose()
    ann.reactor.advance(2.0)
    host = ann.accepted()
    host.let_in(messages.Welcome(1, "Ann", "", 7, [messages.Participant(7, "Cid"), messages.Participant(9, "Ben")]))
    assert told(host, messages.Gain) == [messages.Gain(9, 0.0)]


@pytest.mark.parametrize("db", [SOFTEST_DB - 0.1, LOUDEST_DB + 0.1, float("nan"), float("inf")])
def test_a_volume_out_of_range_is_refused(ann: Player, db: float) -> None:
    ann.accepted().let_in()
    with pytest.raises(ControlError, match="-30 to"):
        ann.controls.volume("Ben", db)


def test_a_name_that_nobody_has_is_refused_with_those_who_are_here(ann: Player) -> None:
    with pytest.raises(ControlError, match="nobody is called 'Ben'; here: nobody"):
        ann.controls.volume("Ben", 1.0)
    ann.accepted().let_in()
    with pytest.raises(ControlError, match="nobody is called 'Bne'; here: Ben"):
        ann.controls.volume("Bne", 1.0)


def test_volumes_are_written_once_after_the_last_change_and_at_the_end(ann: Player, tmp_path: Path) -> None:
    path = tmp_path / "volumes.json"
    controls = Controls(ann.reactor, ann.call, ann.bridge.gate, Volumes(path), lambda: None)
    ann.accepted().let_in()
    for db in (-3.0, -6.0, -9.0):
        controls.volume("Ben", db)
        ann.reactor.advance(SAVE_AFTER / 2)
        assert not path.exists()
    ann.reactor.advance(SAVE_AFTER)
    assert json.loads(path.read_text()) == {"volumes": {"Ben": -9.0}}
    controls.volume("Ben", None)
    controls.stop()
    assert json.loads(path.read_text()) == {"volumes": {"Ben": None}}


def test_volumes_that_cannot_be_written_are_told(ann: Player, tmp_path: Path) -> None:
    controls = Controls(ann.reactor, ann.call, ann.bridge.gate, Volumes(tmp_path), lambda: None)
    ann.accepted().let_in()
    controls.volume("Ben", 3.0)
    ann.reactor.advance(SAVE_AFTER)
    assert ann.lines[-1].startswith("your friends' volumes cannot be written to")


def test_how_late_a_friend_is_heard_is_estimated() -> None:
    evening = Evening("Ann", "Ben", "Cid")
    ann, ben, cid = evening.players
    assert [friend.delay_ms for friend in ann.controls.status().friends] == [None, None]
    evening.wait(9.0)  # the server has asked how far they are
    ben.says = cid.says = 0.25
    evening.wait(1.0)
    cid.says = 0.0
    evening.wait(3.0)
    status = ann.controls.status()
    assert status.friends[0].delay_ms == pytest.approx(36.5 + status.playout_ms, abs=1.0)
    cid.says = 0.25
    evening.wait(1.0)
    status = ann.controls.status()
    assert status.friends[1].delay_ms == pytest.approx(36.5 + 16.5 + 10 + status.playout_ms, abs=11.0), "mixed"


def test_a_friend_at_zero_is_no_talker_for_me() -> None:
    """The other one is passed on as they are, without a mix."""
    evening = Evening("Ann", "Ben", "Cid")
    ann, ben, cid = evening.players
    ann.controls.volume("Ben", None)
    ben.says = 0.25
    evening.wait(0.5)
    assert set(ann.played) == {0.0}
    cid.says = 0.5
    evening.wait(0.5)
    assert ann.played[-1] == 0.5
    assert 0 not in ann.call.hearing.heard


@pytest.mark.parametrize("db", [-12.0, 6.0])
def test_a_volume_is_heard_the_same_forwarded_and_mixed(db: float) -> None:
    evening = Evening("Ann", "Ben", "Cid")
    ann, ben, cid = evening.players
    ann.controls.volume("Ben", db)
    ben.says = 0.1
    evening.wait(1.0)
    forwarded = ann.played[-1]
    assert forwarded == pytest.approx(0.1 * 10 ** (db / 20), abs=0.001)
    cid.says = 0.2
    evening.wait(1.0)
    assert ann.played[-1] == pytest.approx(forwarded + 0.2, abs=0.002)


# words


def test_a_text_line_is_shown_with_who_and_when(two: Evening) -> None:
    ann, ben = two.players
    ann.controls.send_text("  hello  ")
    two.wait(0.1)
    for player in two.players:
        assert player.lines[-1] == "[21:04] Ann: hello"
        (said,) = player.controls.status().messages
        assert (said.when, said.name, said.text) == ("21:04", "Ann", "hello")
    assert ben.err.getvalue() == ""


@pytest.mark.parametrize("line", ["", "  ", "x" * 501, "\x1b[2J", "a\u202eb"])
def test_a_line_that_cannot_be_said_is_refused(two: Evening, line: str) -> None:
    with pytest.raises(ControlError):
        two.players[0].controls.send_text(line)
    two.wait(0.1)
    assert not two.players[1].controls.status().messages


def test_what_the_server_would_drop_is_refused_here(two: Evening) -> None:
    ann, ben = two.players
    for n in range(LINES_AT_ONCE):
        ann.controls.send_text(f"line {n}")
    with pytest.raises(ControlError, match="too many"):
        ann.controls.send_text("one more")
    two.wait(0.5)
    assert len(ben.controls.status().messages) == LINES_AT_ONCE
    two.wait(5.0)
    ann.controls.send_text("one more")


def test_nothing_is_said_to_nobody(ann: Player) -> None:
    with pytest.raises(ControlError, match="not connected"):
        ann.controls.send_text("hello")


# what is so


def test_the_status_tells_what_is_so(two: Evening) -> None:
    ann, ben = two.players
    ben.says = 0.25
    two.wait(1.0)
    status = ann.controls.status()
    assert (status.connected, status.name, status.room, status.path) == (True, "Ann", "", "tcp")
    assert (status.muted, status.deafened, status.talking, status.talk) == (False, False, False, "voice")
    (friend,) = status.friends
    assert (friend.name, friend.talks, friend.away, friend.volume_db) == ("Ben", True, False, 0.0)
    assert status.level_dbfs == -120.0
    mine = ben.controls.status()
    assert mine.talking
    assert mine.level_dbfs == pytest.approx(-12.0, abs=0.1)
    assert not mine.friends[0].talks


def test_who_watches_is_called_at_each_change(two: Evening) -> None:
    ann, ben = two.players
    calls: list[int] = []
    ann.controls.watch(lambda: calls.append(1))
    for action in (
        ann.controls.mute,
        ann.controls.deafen,
        ann.controls.ptt_down,
        ben.controls.mute,
        lambda: ben.controls.send_text("hello"),
        lambda: ann.controls.volume("Ben", 3.0),
        lambda: two.network.cut(0),
    ):
        calls.clear()
        action()
        two.wait(0.05)
        assert calls, action
    calls.clear()
    two.wait(1.0)
    assert not calls, "in silence nothing changes"


def test_quit_ends_the_call_in_order(ann: Player) -> None:
    ann.controls.quit()
    assert ann.ended == (0, "")
