"""What a request does, and what a silly one does not."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.client.call.test_call import Evening
from tests.client.player import Player
from voicechat.client.call.status import FriendStatus
from voicechat.client.remote import commands as words
from voicechat.client.remote import socket as remote
from voicechat.client.remote.commands import Answer, Commands
from voicechat.client.remote.socket import Remote, RemoteProtocol
from voicechat.client.remote.words import LONGEST_LINE, WORDS


def commands(player: Player) -> Commands:
    return Commands(player.controls, lambda: {"packets": {}}, lambda: ["microphone in use: silence"])


@pytest.fixture
def two() -> Evening:
    return Evening("Ann", "Ben")


@pytest.fixture
def ann() -> Player:
    return Player()


def ask(player: Player, word: str, *rest: str) -> Answer:
    return commands(player).do(json.dumps({"word": word, "rest": rest}).encode())


def test_the_words_are_those_of_voicechat_ctl(ann: Player) -> None:
    assert commands(ann).words.keys() == WORDS.keys()


def test_mute_deafen_and_the_key_are_the_controls(ann: Player) -> None:
    hands = ann.controls
    for word, states in {
        "mute": (True, False, False),
        "unmute": (False, False, False),
        "mute-toggle": (True, False, False),
        "deafen": (True, True, False),
        "undeafen": (True, False, False),
        "deafen-toggle": (True, True, False),
        "ptt-down": (True, True, True),
        "ptt-up": (True, True, False),
        "ptt-toggle": (True, True, True),
    }.items():
        assert ask(ann, word) == Answer()
        assert (hands.muted, hands.deafened, hands.key_held) == states, word
    hands.stop()


def test_a_volume_a_line_and_the_figures(two: Evening) -> None:
    ann, ben = two.players
    assert ask(ann, "volume", "ben", "-6") == Answer()
    assert ask(ann, "say", "hello there") == Answer()
    two.wait(0.5)
    assert ben.lines[-1] == "[21:04] Ann: hello there"
    answer = ask(ann, "stats")
    assert answer.lines[0] == "Ann: silent, microphone at -120 dBFS"
    assert answer.lines[1].startswith("over TCP, round trip ")
    assert answer.lines[2].startswith("Ben: silent, -6 dB")
    assert answer.figures is not None
    assert answer.figures["friends"][0]["volume_db"] == -6
    assert answer.figures["figures"] == {"packets": {}}
    assert ask(ann, "volume", "Ben", "off") == Answer()
    assert ask(ann, "stats").lines[2].startswith("Ben: silent, muted for you")
    assert ask(ann, "devices").lines == ["microphone in use: silence"]


def test_names_are_set_off_in_what_is_told() -> None:
    friend = {"source": 1, "talks": True, "away": False, "muted": False, "deafened": False}
    for name, told in (("Ben: away. Cid", "'Ben: away. Cid': talks"), ("مریم", "\u2068مریم\u2069: talks")):
        status = msgspec.convert({"volume_db": 0.0, "delay_ms": None, "name": name} | friend, FriendStatus)
        assert words._line_of(status) == told


def test_what_is_line_of_friends() -> None:
    friend = {"source": 1, "name": "Ben", "talks": False, "away": False, "muted": False, "deafened": False}
    for change, told in (
        ({"talks": True, "delay_ms": 48.6}, "Ben: talks, ~49 ms"),
        ({"away": True}, "Ben: away"),
        ({"muted": True, "deafened": True}, "Ben: deafened"),
        ({"muted": True, "volume_db": 3.0}, "Ben: muted, +3 dB"),
    ):
        status = msgspec.convert({"volume_db": 0.0, "delay_ms": None} | friend | change, FriendStatus)
        assert words._line_of(status) == told


def test_quit_ends_the_call_well(ann: Player) -> None:
    assert ask(ann, "quit") == Answer()
    assert ann.ended == (0, "")


@pytest.mark.parametrize(
    ("word", "rest", "told"),
    [
        ("volume", ["Ben", "-6"], "nobody is called 'Ben'"),
        ("volume", ["Ben", "loud"], "a number of dB or off, not 'loud'"),
        ("volume", ["Ben", "nan"], "a volume is"),
        ("volume", ["Ben"], "volume needs NAME DB"),
        ("mute", ["now"], "mute needs nothing"),
        ("say", ["hello"], "not connected"),
        ("say", ["\x1b[2J"], "control characters"),
        ("explode", [], "knows no 'explode'"),
        ("__class__", [], "knows no"),
    ],
)
def test_what_cannot_be_done_is_told(ann: Player, word: str, rest: list[str], told: str) -> None:
    error = ask(ann, word, *rest).error
    assert error is not None
    assert told in error
    assert "\n" not in error


def test_before_the_room_there_is_not_much_to_tell(ann: Player) -> None:
    assert ask(ann, "stats").lines == ["not connected; trying again"]


# The connection


class Transport(StringTransport):
    """A local socket's, with ourselves at the other end."""

    aborted = False

    def __init__(self) -> None:
        super().__init__()
        self.socket, self._other = socket.socketpair(socket.AF_UNIX)

    def abortConnection(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.socket.close()
        self._other.close()


class Line:
    """Some connections to one Remote."""

    def __init__(self, commands: Any) -> None:
        self.clock = Clock()
        self.remote = Remote(self.clock, commands)
        self.held: list[Transport] = []

    def connect(self) -> tuple[RemoteProtocol, Transport]:
        protocol, transport = self.remote.buildProtocol(None), Transport()
        self.held.append(transport)
        protocol.makeConnection(transport)
        return protocol, transport

    def close(self) -> None:
        for transport in self.held:
            transport.close()


class Echo:
    """Commands that say what they were asked, and how often."""

    asked = 0

    def do(self, line: bytes) -> Answer:
        self.asked += 1
        return Answer([line.decode(errors="replace")])


@pytest.fixture
def line() -> Iterator[Line]:
    held = Line(Echo())
    yield held
    held.close()


def test_one_line_one_answer_the_end(line: Line) -> None:
    protocol, transport = line.connect()
    protocol.dataReceived(b'{"wo')
    assert transport.value() == b""
    protocol.dataReceived(b'rd": 1}\nanother\n')
    assert transport.value() == b'{"lines":["{\\"word\\": 1}"]}\n'
    assert transport.disconnecting
    assert line.remote.commands.asked == 1  # type: ignore[attr-defined]
    protocol.connectionLost()
    assert not line.clock.getDelayedCalls()
    assert not line.remote.open


def test_who_says_nothing_is_cut_after_his_time(line: Line) -> None:
    protocol, transport = line.connect()
    line.clock.advance(remote.SECONDS - 0.1)
    assert not transport.aborted
    line.clock.advance(0.2)
    assert transport.aborted
    protocol.connectionLost()
    assert not line.remote.open


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_who_says_too_much_is_cut_and_not_answered(line: Line, end: bytes) -> None:
    protocol, transport = line.connect()
    protocol.dataReceived(b"x" * (LONGEST_LINE + 1) + end)
    assert transport.aborted
    assert transport.value() == b""


def test_the_longest_text_fits(ann: Player) -> None:
    request = json.dumps({"word": "say", "rest": ["\U0001f44d" * 500]}).encode()
    assert len(request) <= LONGEST_LINE
    assert commands(ann).do(request).error == "not connected: the line was not sent"


def test_too_many_at_once_are_cut_and_the_others_served(line: Line) -> None:
    first = [line.connect() for _ in range(remote.MOST_AT_ONCE)]
    late, transport = line.connect()
    assert transport.aborted
    late.dataReceived(b"x\n")
    assert transport.value() == b""
    for protocol, held in first:
        assert not held.aborted
        protocol.dataReceived(b"x\n")
        assert held.value()


def test_another_user_is_cut(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 54_321)
    protocol, transport = line.connect()
    assert transport.aborted
    protocol.dataReceived(b"x\n")
    assert transport.value() == b""


REQUESTS = st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(sorted(WORDS)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["word", "rest"]) | st.text(), inner),
).map(lambda value: json.dumps(value).encode())


@pytest.fixture(scope="module")
def everyman() -> Iterator[Player]:
    player = Player()
    yield player
    player.controls.stop()


@given(request=REQUESTS)
def test_any_request_is_answered_in_one_line(everyman: Player, request: bytes) -> None:
    everyman.ended = None  # some have quit them before
    answer = msgspec.json.encode(commands(everyman).do(request))
    assert b"\n" not in answer
    assert isinstance(json.loads(answer), dict)
