"""Text lines and lines about the room: what is shown, kept and sent has limits."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from voicechat.client.call.chat import LINES_AT_ONCE, MOST_LINES, MOST_MESSAGES, Chat, ChatMessage
from voicechat.client.ui.line import Console
from voicechat.errors import ControlError


class Room:
    """A chat, what the player sees of it, and how often the call was told that there is something new."""

    def __init__(self) -> None:
        self.clock, self.out, self.changes = Clock(), io.StringIO(), 0
        self.chat = Chat(self.clock, Console(self.out, io.StringIO()), self._changed, lambda: "21:04")

    def _changed(self) -> None:
        self.changes += 1

    @property
    def lines(self) -> list[str]:
        """What is shown."""
        return self.out.getvalue().splitlines()


def test_a_message_is_kept_and_shown_with_its_time() -> None:
    room = Room()
    room.chat.add("Ann", "good morning")
    assert list(room.chat.messages) == [ChatMessage("21:04", "Ann", "good morning")]
    assert room.lines == ["[21:04] Ann: good morning"]
    assert room.changes == 1


@given(st.lists(st.floats(0, 2.5), max_size=200))
def test_of_any_flood_so_many_lines_are_shown_in_a_second_and_none_is_forgotten(passed: list[float]) -> None:
    room = Room()
    each: dict[int, int] = {}
    for number, gap in enumerate(passed):
        room.clock.advance(gap)
        second = int(room.clock.seconds())
        each[second] = each.get(second, 0) + 1
        room.chat.notify(f"line {number}")
    room.clock.advance(2.0)
    room.chat.notify("the last one")
    shown = [line for line in room.lines if line.startswith("line")]
    left_out = sum(int(line.split()[0][1:]) for line in room.lines if line.endswith("more lines were left out)"))
    assert len(shown) == sum(min(count, MOST_LINES) for count in each.values())
    assert len(shown) + left_out == len(passed)
    assert room.lines[-1] == "the last one"


def test_the_oldest_messages_are_dropped() -> None:
    room = Room()
    for number in range(MOST_MESSAGES + 7):
        room.chat.add("Ann", str(number))
    assert [message.text for message in room.chat.messages] == [str(n) for n in range(7, MOST_MESSAGES + 7)]


@given(st.lists(st.floats(0, 3.0), max_size=100))
def test_no_more_is_sent_than_the_server_passes_on(passed: list[float]) -> None:
    room = Room()
    sent: list[float] = []
    for gap in passed:
        room.clock.advance(gap)
        now = room.clock.seconds()
        full = sum(now - at < LINES_AT_ONCE for at in sent) >= LINES_AT_ONCE
        if full:
            with pytest.raises(ControlError, match="too many"):
                room.chat.count_sent()
        else:
            room.chat.count_sent()
            sent.append(now)
