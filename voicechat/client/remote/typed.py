"""What is typed in line mode: text for the room, or a command, which is a word of `words.WORDS` behind a slash.

Knows no terminal: lines come from `ui.reading`, answers go to the console. A command that there is not is an error
and is never sent: nobody wants their friends to read /quti.
"""

from typing import Final

from voicechat.client.notices import INotices
from voicechat.client.remote.commands import Commands, RemoteRequest
from voicechat.client.remote.words import SHORT, WORDS, understood

SLASH: Final = "/"

HELP: Final = "help"


def help_lines() -> list[str]:
    """The commands, a line each."""
    long = {word: f" (or {SLASH}{short})" for short, word in SHORT.items()}
    commands = [f"{f'{SLASH}{word} {wanted}':<18} {told}{long.get(word, '')}" for word, (wanted, told) in WORDS.items()]
    return ["whatever you type is sent to your friends as a line of text, but for", *commands]


class Typed:
    """Lines of one player; what comes of them is told to ``notices``."""

    def __init__(self, commands: Commands, notices: INotices) -> None:
        self._commands = commands
        self._notices = notices

    def line(self, text: str) -> None:
        """A line was typed."""
        text = text.strip()
        if not text.startswith(SLASH):
            if text:
                self._do("say", [text])
            return
        word, _, rest = text[len(SLASH) :].partition(" ")
        if word == HELP:
            for line in help_lines():
                self._notices.say(line)
            return
        try:
            self._do(*understood(word, rest.split()))
        except ValueError as error:
            self._notices.warn(f"nothing was sent: {error}; see {SLASH}{HELP}")

    def _do(self, word: str, rest: list[str]) -> None:
        answer = self._commands.fulfil(RemoteRequest(word, rest, told=True))
        for line in answer.lines:
            self._notices.say(line)
        if answer.error is not None:
            self._notices.warn(answer.error)
