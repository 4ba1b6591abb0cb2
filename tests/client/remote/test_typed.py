"""What is typed in line mode, in a room of real players."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.call.test_call import Evening
from tests.client.player import Player
from voicechat.client.remote.commands import Commands
from voicechat.client.remote.typed import Typed, help_lines
from voicechat.client.remote.words import SHORT, WORDS, understood


class Room(Evening):
    """Ann types, Ben reads."""

    def __init__(self) -> None:
        super().__init__("Ann", "Ben")
        self.ann, self.ben = self.players
        commands = Commands(self.ann.controls, dict, lambda: ["microphone in use: silence"])
        self.typed = Typed(commands, self.ann.call.chat.notices)

    def type(self, line: str) -> list[str]:
        """What Ann is told."""
        before = len(self.ann.lines), len(self.ann.err.getvalue())
        self.typed.line(line)
        self.wait(0.3)
        return self.ann.lines[before[0] :] + self.ann.err.getvalue()[before[1] :].splitlines()


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_line_is_a_text_and_a_command_is_done(room: Room) -> None:
    assert room.type("hello there, /mute is no command here") == ["[21:04] Ann: hello there, /mute is no command here"]
    assert room.ben.lines[-1] == "[21:04] Ann: hello there, /mute is no command here"
    assert room.type("/mute") == ["you are muted: nobody hears you"]
    assert room.ann.controls.muted
    assert room.ben.lines[-1] == "Ann is muted"
    assert room.type("  /deafen ") == ["you are deafened: you hear nobody, and nobody hears you"]
    assert room.type("/undeafen") == ["you are muted: nobody hears you"]
    assert room.type("/mute-toggle") == ["you are heard, and hear the others"]
    assert room.type("/ptt-toggle") == ["the talk key is held"]
    assert room.type("/ptt-up") == ["the talk key is up"]
    assert room.type("/suppress light") == ["noise suppression: light"]
    assert room.type("") == room.type("   ") == []


def test_a_volume_is_told_and_a_name_needs_no_quotes(room: Room) -> None:
    for line in ("/vol Ben -6", "/volume Ben -6", "/vol ben -6"):
        assert room.type(line)[0].endswith(": -6 dB")
    assert room.ann.controls.volumes() == {"Ben": -6.0}
    assert room.type("/vol Ben off") == ["Ben: muted for you"]
    assert understood("vol", ["Ben", "Lee", "+3"]) == ("volume", ["Ben Lee", "+3"])
    assert understood("vol", ["'Ben", "Lee'", "+3"]) == ("volume", ["Ben Lee", "+3"])
    assert room.type("/vol Zoe -6") == ["voicechat-client: nobody is called 'Zoe'; here: Ben"]
    assert "a number of dB or off" in room.type("/vol Ben loud")[0]


@pytest.mark.parametrize("line", ["/quti", "/", "/ mute", "/mute me", "/vol", "/vol Ben", "/say", "//mute", "/Ben: hi"])
def test_what_is_no_command_is_never_sent(room: Room, line: str) -> None:
    said, before = list(room.ben.lines), room.ann.controls.status()
    (told,) = room.type(line)
    assert "nothing was sent" in told
    assert room.ben.lines == said
    assert (room.ann.controls.muted, room.ann.ended) == (before.muted, None)


def test_a_mistyped_command_is_told_the_right_one(room: Room) -> None:
    assert "did you mean quit?" in room.type("/quti")[0]
    assert "did you mean stats?" in room.type("/stat")[0]


def test_a_text_may_begin_with_a_slash(room: Room) -> None:
    room.type("/say /mute is the command")
    assert room.ben.lines[-1] == "[21:04] Ann: /mute is the command"


def test_who_is_here_in_a_sentence(room: Room) -> None:
    assert room.type("/who") == ["Ben is here"]
    cid = room.add(Player("Cid", reactor=room.reactor))
    dan = room.add(Player("Dan Lee", reactor=room.reactor))
    cid.controls.mute()
    dan.controls.deafen()
    room.ben.says = 0.25
    room.wait(0.5)
    assert room.type("/who") == ["Ben, Cid and 'Dan Lee' are here; Ben talks; Cid is muted; 'Dan Lee' is deafened"]
    room.network.cut(0)
    room.wait(0.1)
    assert room.type("/who")[0].startswith("not connected; trying again")


def test_nobody_is_here() -> None:
    room = Room()
    room.ben.service.stop()
    room.wait(0.5)
    assert room.type("/who") == ["nobody else is here"]


def test_stats_help_and_quit(room: Room) -> None:
    assert room.type("/stats")[0].startswith("Ann: silent, microphone at ")
    assert room.type("/help") == help_lines()
    assert len(help_lines()) == len(WORDS) + 1
    assert all(any(f"/{word} " in line for line in help_lines()) for word in WORDS)
    assert SHORT.keys().isdisjoint(WORDS)
    room.typed.line("/quit")
    assert room.ann.ended == (0, "")


def test_what_cannot_be_sent_is_told(room: Room) -> None:
    assert "control characters" in room.type("\x1b[2J")[0]
    room.network.cut(0)
    assert room.type("hello")[-1] == "voicechat-client: not connected: the line was not sent"


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.lists(st.text(max_size=10), max_size=4))
def test_any_line_is_a_word_with_what_it_needs_or_an_error(word: str, parts: list[str]) -> None:
    try:
        known, rest = understood(word, parts)
    except ValueError:
        return
    assert len(rest) == len(WORDS[known][0].split())
