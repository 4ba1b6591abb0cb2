"""Chat: text lines between friends, and lines about the room. Both are bounded, since a server may mean harm.

What is shown is limited by the second, what is kept by number, and what is sent as the server limits it.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from twisted.internet.interfaces import IReactorTime

from voicechat.client.notices import INotices
from voicechat.errors import ControlError
from voicechat.wire import shown

MOST_LINES: Final = 20
"""Lines about the room in a second: more than friends can make, and as much as a terminal bears for an evening."""

MOST_MESSAGES: Final = 100
"""Text lines kept: more than the largest terminal shows, at most 50 000 characters."""

LINES_AT_ONCE: Final = 5
"""Text lines in as many seconds: what the server passes on (`text_burst`, `text_a_second`); it drops more unsaid."""


def hours_and_minutes() -> str:
    """The wall clock here, for people."""
    return datetime.now().astimezone().strftime("%H:%M")


class ChatMessage(msgspec.Struct, frozen=True):
    """A text line between friends."""

    when: str
    """Hours and minutes of the wall clock here."""
    name: str
    text: str


class Chat:
    """The lines of one call. ``changed`` is called when a message is new."""

    def __init__(
        self,
        clock: IReactorTime,
        notices: INotices,
        changed: Callable[[], None],
        wall_clock: Callable[[], str] = hours_and_minutes,
    ) -> None:
        self._clock = clock
        self.notices = notices
        self._changed = changed
        self._wall_clock = wall_clock
        self.messages: deque[ChatMessage] = deque(maxlen=MOST_MESSAGES)
        """Text lines, our own too."""
        self._sent_at: deque[float] = deque(maxlen=LINES_AT_ONCE)
        self._second = self._lines = 0

    def count_sent(self) -> None:
        """A text line is to be sent. ControlError if the server would drop it."""
        now = self._clock.seconds()
        if len(self._sent_at) == LINES_AT_ONCE and now - self._sent_at[0] < LINES_AT_ONCE:
            raise ControlError("too many lines at once: wait some seconds")
        self._sent_at.append(now)

    def add(self, name: str, text: str) -> None:
        """Keep and show a text line of somebody, perhaps of ours."""
        message = ChatMessage(self._wall_clock(), name, text)
        self.messages.append(message)
        self.notify(f"[{message.when}] {shown.named(name)}: {shown.isolated(text)}", self.notices.chat)
        self._changed()

    def notify(self, line: str, how: Callable[[str], None] | None = None) -> None:
        """A line about the room; of a flood, only the first ones of each second and how many there were."""
        second = int(self._clock.seconds())
        if second != self._second:
            if self._lines > MOST_LINES:
                self.notices.say(f"({self._lines - MOST_LINES} more lines were left out)")
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines <= MOST_LINES:
            (how or self.notices.say)(line)
