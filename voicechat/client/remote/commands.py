"""What can be done to a running client in words: by voicechat-ctl, and by whoever types in line mode.

`Commands` does what a request says to the Controls. The words are `words.WORDS`; where a request comes from is
no matter here. Every mistake is an answer, too.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from voicechat.client.call.controls import Controls
from voicechat.client.call.status import FriendStatus, Status
from voicechat.client.remote.words import WORDS
from voicechat.errors import ControlError
from voicechat.wire import shown


class RemoteRequest(msgspec.Struct, frozen=True):
    """What to do: a word of `words.WORDS`, and what stands behind it."""

    word: Annotated[str, Meta(max_length=32)]
    rest: Annotated[list[str], Meta(max_length=4)] = []
    told: bool = False
    """A person reads the answer, and wants one also where all went well."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Done: lines for a person, figures for a program; or why it cannot be done."""

    lines: list[str] = []
    figures: dict[str, Any] | None = None
    error: str | None = None


class Commands:
    """Requests done. ``figures`` gives what --stats writes, ``devices`` lines about those in use."""

    def __init__(
        self, controls: Controls, figures: Callable[[], dict[str, Any]], devices: Callable[[], list[str]]
    ) -> None:
        self._controls = controls
        self._figures = figures
        self.words: dict[str, Callable[..., Answer | None]] = {
            "mute": controls.mute,
            "unmute": controls.unmute,
            "mute-toggle": controls.toggle_mute,
            "deafen": controls.deafen,
            "undeafen": controls.undeafen,
            "deafen-toggle": controls.toggle_deafen,
            "suppress": controls.suppress,
            "ptt-down": controls.ptt_down,
            "ptt-up": controls.ptt_up,
            "ptt-toggle": controls.ptt_toggle,
            "volume": self._volume,
            "say": controls.send_text,
            "who": lambda: Answer([who(controls.status())]),
            "stats": self._stats,
            "devices": lambda: Answer(devices()),
            "retry": controls.retry,
            "quit": controls.quit,
        }
        """What is done for each of `words.WORDS`."""

    def do(self, line: bytes) -> Answer:
        """What a request's line asks for."""
        try:
            request = msgspec.json.decode(line, type=RemoteRequest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Answer(error=f"not understood: {error}")
        return self.fulfil(request)

    def fulfil(self, request: RemoteRequest) -> Answer:
        """What a request asks for."""
        if request.word not in self.words:
            return Answer(error=f"this client knows no {request.word!r}; is voicechat-ctl of the same version?")
        wanted = WORDS[request.word][0]
        if len(request.rest) != len(wanted.split()):
            return Answer(error=f"{request.word} needs {wanted or 'nothing'} behind it")
        try:
            answer = self.words[request.word](*request.rest)
        except ControlError as error:
            return Answer(error=str(error))
        return answer or Answer(self._outcome(request) if request.told else [])

    def _outcome(self, request: RemoteRequest) -> list[str]:
        """What has become of it, where that is not seen anyway."""
        controls, word = self._controls, request.word
        if "mute" in word or "deafen" in word:
            return [
                "you are deafened: you hear nobody, and nobody hears you"
                if controls.deafened
                else "you are muted: nobody hears you"
                if controls.muted
                else "you are heard, and hear the others"
            ]
        if word.startswith("ptt"):
            return ["the talk key is held" if controls.key_held else "the talk key is up"]
        if word == "suppress":
            return [f"noise suppression: {controls.suppressed.value}"]
        if word == "volume":
            name, db = request.rest
            return [f"{shown.named(name)}: {'muted for you' if db == 'off' else f'{float(db):+g} dB'}"]
        return []

    def _volume(self, name: str, db: str) -> None:
        try:
            self._controls.volume(name, None if db == "off" else float(db))
        except ValueError:
            raise ControlError(f"a volume is a number of dB or off, not {db!r}") from None

    def _stats(self) -> Answer:
        status = self._controls.status()
        figures = msgspec.to_builtins(status)
        return Answer(lines(status), {**figures, "figures": self._figures()})


def lines(status: Status) -> list[str]:
    """How things stand, for a person."""
    outage = status.outage
    if outage is not None and status.connected:
        return [f"{outage.why}, for {outage.seconds:.0f} s now: perhaps nobody hears you"]
    if not status.connected:
        again = "" if outage is None or outage.next_s is None else f" in {outage.next_s:.0f} s (try {outage.tries})"
        return [f"not connected; trying again{again}"]
    room = f" in {shown.quoted(status.room)}" if status.room else ""
    state = "deafened" if status.deafened else "muted" if status.muted else "talking" if status.talking else "silent"
    trip = "" if status.round_trip_ms is None else f", round trip {status.round_trip_ms:g} ms"
    return [
        f"{shown.named(status.name)}{room}: {state}, microphone at {status.level_dbfs:g} dBFS",
        f"over {_ways(status)}{trip}, {status.loss_percent:g} % lost, playout delay {status.playout_ms:g} ms",
        *(_line_of(friend) for friend in status.friends),
    ]


def _ways(status: Status) -> str:
    if status.path_in in (None, status.path):
        return status.path.upper()
    return f"{status.path.upper()}, heard over {str(status.path_in).upper()}"


def _line_of(friend: FriendStatus) -> str:
    state = "away" if friend.away else "deafened" if friend.deafened else "muted" if friend.muted else "silent"
    words = ["talks" if friend.talks else state]
    if friend.volume_db != 0:
        words.append("muted for you" if friend.volume_db is None else f"{friend.volume_db:+g} dB")
    if friend.delay_ms is not None:
        words.append(f"~{friend.delay_ms:.0f} ms")
    return f"{shown.named(friend.name)}: {', '.join(words)}"


def who(status: Status) -> str:
    """Who else is here and what they do, in a sentence."""
    if not status.connected:
        return lines(status)[0]
    names = [shown.named(friend.name) for friend in status.friends]
    if not names:
        return "nobody else is here"
    *some, last = names
    here = f"{', '.join(some)} and {last} are here" if some else f"{last} is here"
    doing = [f"{name} {_doing(friend)}" for name, friend in zip(names, status.friends, strict=True) if _doing(friend)]
    return "; ".join((here, *doing))


def _doing(friend: FriendStatus) -> str:
    """What is unusual about a friend; '' if nothing is."""
    if friend.talks:
        return "talks"
    state = "away" if friend.away else "deafened" if friend.deafened else "muted" if friend.muted else ""
    return state and f"is {state}"
