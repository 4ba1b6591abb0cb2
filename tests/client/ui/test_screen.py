"""The screen without a terminal: urwid's scripted display, a real call in memory."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
import urwid
from urwid.testing import ScriptedScreen

from tests.client.call.test_call import Evening
from tests.client.player import Player
from voicechat.client.call import rnnoise
from voicechat.client.ui.lines import Lines
from voicechat.client.ui.screen import DRAWS_A_SECOND, METER_FOR, Screen
from voicechat.errors import ConfigError
from voicechat.wire.text import MOST_TEXT


class Display(ScriptedScreen):
    """Keys come from the test."""

    def hook_event_loop(self, event_loop: Any, callback: Any) -> None:
        """The script is not played by itself."""
        self.callback = callback

    def unhook_event_loop(self, event_loop: Any) -> None:
        """Nothing is hooked."""

    def press(self, *keys: str) -> None:
        """Type."""
        self.callback(list(keys), [])


class Night(Evening):
    """Ann has a screen of 60 x 15, Ben lines."""

    def __init__(self) -> None:
        super().__init__("Ben")
        self.ann, self.ben = Player("Ann", reactor=self.reactor), self.players[0]
        self.gone = 0
        self.display = Display(size=(60, 15))
        self.screen = Screen(self.reactor, self._gone, self.display)
        self.ann.call.chat.notices = self.screen
        self.screen.begin(self.ann.controls)
        self.add(self.ann)
        self.wait(0.5)

    def _gone(self) -> None:
        self.gone += 1

    def press(self, *keys: str) -> None:
        self.display.press(*keys)
        self.wait(0.5)

    def write(self, text: str) -> None:
        self.press("enter", *text, "enter")

    @property
    def text(self) -> str:
        return "\n".join(self.display.last_text)


@pytest.fixture
def night() -> Iterator[Night]:
    it = Night()
    yield it
    it.screen.end()


def test_who_is_here_and_who_talks(night: Night) -> None:
    assert "Ann" in night.display.last_text[0]
    assert "TCP" in night.display.last_text[0]
    row = next(line for line in night.display.last_text if line.startswith("> Ben"))
    assert "silent" in row
    night.ben.says = 0.25
    night.wait(0.5)
    assert any(line.startswith("> Ben") and "talks" in line for line in night.display.last_text)
    assert "Ben talks" not in night.text, "it stands beside their name"


def test_m_and_d_mute_and_deafen(night: Night) -> None:
    night.press("m")
    assert "you MUTED" in night.text
    night.press("d")
    assert "you DEAFENED" in night.text
    assert night.ben.lines[-1] == "Ann is deafened"
    night.press("d", "m")
    assert "you silent" in night.text


def test_space_holds_the_talk_key(night: Night) -> None:
    night.press(" ")
    assert night.ann.controls.key_held
    assert "you talking" in night.text
    assert "talk key down" in night.text
    night.press(" ")
    assert not night.ann.controls.key_held


def test_lines_are_written_and_read(night: Night) -> None:
    night.write("good morning, quiet mountain?")
    assert night.ben.lines[-1] == "[21:04] Ann: good morning, quiet mountain?"
    assert "[21:04] Ann: good morning, quiet mountain?" in night.text
    assert not night.ann.controls.muted, "letters in a line are no commands"
    night.ben.controls.send_text("hello")
    night.wait(0.5)
    assert "[21:04] Ben: hello" in night.text


@pytest.mark.parametrize("length", range(40, 52))
def test_no_text_looks_like_a_line_of_its_own(night: Night, length: int) -> None:
    """Filled up to the end of a row, so that the next one begins as another line does."""
    night.ben.controls.send_text("x" * length + " [21:05] Cid: the password is corn-stable-77")
    night.wait(0.5)
    rows = [row for row in night.display.last_text if "Cid" in row]
    assert rows
    assert not any(row.startswith("[21:05]") for row in rows)
    assert "corn-stable-77" in night.text


def test_writing_can_be_given_up(night: Night) -> None:
    night.press("enter", "m", "d")
    assert "> md" in night.display.last_text[-1]
    night.press("esc")
    assert "m mute" in night.display.last_text[-1]
    night.press("enter", "enter")
    assert "m mute" in night.display.last_text[-1]
    assert not night.ann.controls.status().messages


def test_a_line_is_no_longer_than_one_may_be(night: Night) -> None:
    night.write("x" * (MOST_TEXT + 50))
    (said,) = night.ann.controls.status().messages
    assert len(said.text) == MOST_TEXT


def test_what_is_pasted_is_no_command(night: Night) -> None:
    night.press("begin paste", "q", "m", "enter", "end paste")
    assert night.ann.ended is None
    assert not night.ann.controls.muted
    night.press("enter", "begin paste", *"two", "enter", *"lines", "end paste")
    assert "> two lines" in night.display.last_text[-1]


def test_a_refusal_is_shown_and_what_was_typed_is_kept(night: Night) -> None:
    night.network.cut(len(night.network.pairs) - 1)
    night.write("hello")
    assert "not connected: the line was not sent" in night.text
    assert "> hello" in night.display.last_text[-1]
    assert "not connected" in night.display.last_text[0]


def test_the_chosen_friend_is_made_softer_and_muted(night: Night) -> None:
    night.add(Player("Cid", reactor=night.reactor))
    night.press("down", "-", "-")
    assert night.ann.controls.volumes() == {"Cid": -6.0}
    assert any(line.startswith("> Cid") and "-6 dB" in line for line in night.display.last_text)
    night.press("up", "x")
    assert night.ann.controls.volumes() == {"Cid": -6.0, "Ben": None}
    assert "muted by you" in night.text
    night.press("x", *["+"] * 30)
    assert night.ann.controls.volumes() == {"Cid": -6.0, "Ben": 12.0}
    night.press(*["left"] * 30)
    assert night.ann.controls.volumes()["Ben"] == -30.0


def test_the_choice_stays_with_the_friend(night: Night) -> None:
    cid = night.add(Player("Cid", reactor=night.reactor))
    night.press("down")
    assert "> Cid" in night.text
    night.ben.controls.quit()
    night.ben.service.stop()
    night.wait(0.5)
    assert "> Cid" in night.text
    cid.service.stop()
    night.wait(0.5)
    assert "nobody else is here" in night.text
    night.press("-", "x", "up")


def test_help_is_shown_until_a_key(night: Night) -> None:
    for key in ("?", "h", "f1"):
        night.press(key)
        assert "mute the chosen friend" in night.text
        night.press("q")
        assert "mute the chosen friend" not in night.text
    assert night.ann.ended is None


def test_q_ends_the_call(night: Night) -> None:
    night.press("q")
    assert night.ann.ended == (0, "")


def test_older_lines_can_be_read_while_new_ones_come(night: Night) -> None:
    for n in range(40):
        night.screen.say(f"line {n}.")
    night.wait(0.5)
    assert "line 39." in night.text
    night.press("page up", "page up")
    seen = night.text
    assert "line 39." not in seen
    assert "line 29." in seen
    night.screen.say("line 40.")
    night.wait(0.5)
    assert "line 29." in night.text, "what is read does not run away"
    night.press(*["page down"] * 9)
    assert "line 40." in night.text


@pytest.mark.parametrize("size", [(1, 1), (8, 3), (20, 5), (60, 15), (120, 40), (300, 90)])
def test_any_size_is_drawn(night: Night, size: tuple[int, int]) -> None:
    night.ben.controls.send_text("Zoë 日本語 " * 20)
    night.display.size = size
    night.display.press("window resize")
    night.wait(0.5)
    assert [len(night.display.last_text), urwid.calc_width(night.display.last_text[0], 0, 999)] == [size[1], size[0]]
    night.press("?")
    night.press("?", "enter", *"text", "esc")


def test_in_silence_nothing_is_drawn_and_nothing_waits(night: Night) -> None:
    night.wait(METER_FOR)
    drawn, before = night.display.draw_count, len(night.reactor.getDelayedCalls())
    night.wait(10.0)
    assert night.display.draw_count == drawn
    assert len(night.reactor.getDelayedCalls()) <= before


def test_the_meter_moves_while_we_talk_and_no_faster_than_it_should(night: Night) -> None:
    night.wait(METER_FOR)
    night.ann.says = 0.25
    night.wait(1.0)
    assert "-12 dB" in night.text
    drawn = night.display.draw_count
    night.ann.says = 0.5
    night.wait(2.0)
    assert "-6 dB" in night.text
    assert 0.6 * 2 * DRAWS_A_SECOND <= night.display.draw_count - drawn <= 1.2 * 2 * DRAWS_A_SECOND


def test_a_flood_of_news_is_drawn_some_times_a_second(night: Night) -> None:
    drawn = night.display.draw_count
    for n in range(1000):
        night.screen.say(f"line {n}")
        night.reactor.advance(0.001)
    assert night.display.draw_count - drawn <= DRAWS_A_SECOND + 2


def test_after_the_end_lines_are_printed(night: Night) -> None:
    out, err = io.StringIO(), io.StringIO()
    night.screen._out, night.screen._trouble = Lines(out), Lines(err)
    night.screen.end()
    assert not night.display.started
    night.screen.warn("the password was refused")
    night.screen.say("bye")
    assert err.getvalue() == "voicechat-client: the password was refused\n"
    assert out.getvalue() == "bye\n"
    night.screen.redraw()
    night.reactor.advance(1.0)
    night.screen.end()


def test_a_terminal_that_goes_away_ends_the_call(night: Night) -> None:
    night.screen._failed(urwid.display.common.InputClosedError())
    assert night.gone == 1
    assert night.screen.fault is None


def test_a_fault_in_drawing_ends_the_call_and_is_told(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("voicechat.client.ui.view.top", broken)
    night.screen.say("news")
    night.wait(0.5)
    assert night.gone
    assert isinstance(night.screen.fault, ZeroDivisionError)


def test_a_line_that_breaks_is_an_alarm_with_a_countdown_and_r_tries_now(night: Night) -> None:
    night.ben.says = 0.25
    night.wait(3.0)
    assert "talks" in night.text
    night.network.cut(len(night.network.pairs) - 1)
    night.wait(0.4)
    assert "NOBODY HEARS YOU" in night.display.last_text[0]
    assert "Nobody hears you." in night.text
    assert "? Ben" in night.text
    for gone in ("talks", "~", "you silent", "round trip"):
        assert gone not in night.text
    night.reactor.advance(0.8)  # the quick tries
    for _ in range(80):  # half a minute and more later the waits are long
        night.ann.refused()
        while not night.reactor.tcpClients[night.ann._taken :]:
            night.reactor.advance(0.1)
    night.ann.refused()
    night.reactor.advance(0.5)
    seen = set()
    for _ in range(40):
        night.reactor.advance(0.1)
        seen.add(night.display.last_text[1].strip())
    assert len(seen) >= 3, "the seconds are counted"
    assert all("Nobody listens there. Trying again in " in line for line in seen)
    night.display.press("r")
    night.reactor.advance(0.6)
    assert "Trying again now (try " in night.text
    for _ in range(2):  # the ticket is not good any more, the password is
        night.network.join(night.ann)
        night.wait(0.6)
    assert "NOBODY" not in night.text
    assert "unknown" not in night.text


def test_the_help_leaves_the_call_in_sight(night: Night) -> None:
    night.press("m", "?")
    assert "Ann" in night.display.last_text[0]
    assert "you MUTED" in night.display.last_text[1]
    assert "mute the chosen friend" in night.text


def test_older_lines_are_read_while_one_is_typed(night: Night) -> None:
    for number in range(12):
        night.screen.say(f"line {number}")
    night.press("enter", *"hel", "page up", *"lo")
    assert "5 newer: page down" in night.text
    assert "line 11" not in night.text
    assert "> hello" in night.display.last_text[-1]
    night.press("page down")
    assert "line 11" in night.text


def test_n_goes_through_what_there_is_and_says_what_is_missing_once(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def none() -> None:
        looked.append(1)
        raise ConfigError(rnnoise.MISSING)

    monkeypatch.setattr(rnnoise, "load", none)
    night.press("n")
    assert "noise suppression: light (strong suppression needs RNNoise" in " ".join(night.text.split())
    night.press("n", "n", "n")
    said = [line for line in night.display.last_text if "noise suppression: " in line]
    assert [line.split()[2] for line in said] == ["light", "off", "light", "off"]
    assert "instead" not in night.text
    assert len(looked) == 1
