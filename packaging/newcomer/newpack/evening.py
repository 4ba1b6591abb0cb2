"""One evening: the host serves, the friend joins, the host talks, until the friend hears it.

What lives here: ``Evening``. May import everything beside it, the demo's voices and its comparison of sounds. There is
no sound card: the host's microphone is a recorded voice, and the friend's headphones are a file, chosen by variables,
so that README's lines stay as they are.
"""

import contextlib
import re
import time
import wave
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from demo.correlation import FLOOR, correlations, energy, narrow
from demo.script import VOICES, flowing, read
from newpack.machine import HOME, Debian, Machine, Session
from newpack.readme import FRIEND, HOST, TALK, Counted, commands
from testkit.processes import free_port
from voicechat.format import SAMPLE_RATE, Samples
from winpack.tools import BuildFailed, say

SECONDS: Final = 600.0
"""The longest that a newcomer waits for one thing; on two cores with a near mirror it is one minute."""

WORD: Final = 0.6
"""Seconds of speech that count as a word."""

ALIKE: Final = 0.7
"""How alike to what was said a word must be to be heard, as the demo has it for one who speaks alone."""

LINK: Final = re.compile(r"voicechat://\S+#[\w%-]+")
ASKS: Final = "Paste the link"
KEEP: Final = "joins from now on?"
INSIDE: Final = "you are in as "


class Evening:
    """Two machines, and what README has for each."""

    def __init__(self, debian: Debian, blocks: dict[str, list[str]]) -> None:
        self._debian = debian
        self._blocks = blocks
        self._sessions: list[Session] = []

    def run(self) -> dict[str, Counted]:
        """All of it; BuildFailed if it goes no further. What each typed, and how long it took."""
        host, friend = self._debian.machine(HOST), self._debian.machine(FRIEND)
        variables = {"VOICECHAT_UI": "line", "PORT": str(free_port())}  # another than README's may be in use here
        try:
            say(f"{HOST}: {self._said(HOST)}")
            began = time.monotonic()
            serving = self._typed(host, HOST, variables)
            serving.until(lambda text: LINK.search(text) is not None, began + SECONDS, "a link to send to a friend")
            served = time.monotonic() - began
            link = LINK.findall(serving.written)[0]

            say(f"{FRIEND}: {self._said(FRIEND)}")
            began = time.monotonic()
            heard = friend.home / "heard.wav"
            sound = {"VOICECHAT_INPUT": "silence", "VOICECHAT_OUTPUT": f"wav:{HOME}/heard.wav", "VOICECHAT_NAME": "Ben"}
            self._join(self._typed(friend, FRIEND, variables | sound, link), link, began + SECONDS)

            voice = flowing(read(VOICES / "en_f2.flac"))[: 5 * SAMPLE_RATE]
            _write(host.home / "voice.wav", voice)
            sound = {"VOICECHAT_INPUT": f"wav:{HOME}/voice.wav", "VOICECHAT_OUTPUT": "null", "VOICECHAT_NAME": "Ann"}
            talking = self._typed(host, TALK, variables | sound, link)
            self._join(talking, link, began + SECONDS)
            while not is_heard(voice, heard):
                if not talking.read(0.2) or time.monotonic() > began + SECONDS:
                    raise BuildFailed(f"the friend heard no word:\n{talking.tail()}")
            waited = time.monotonic() - began
        finally:
            for session in self._sessions:
                session.close()
        return {
            HOST: Counted(commands(self._blocks[HOST]), served, "a server and its link"),
            FRIEND: Counted(commands(self._blocks[FRIEND]), waited, "the first word heard"),
        }

    def _said(self, who: str) -> str:
        return " ; ".join(self._blocks[who])

    def _typed(self, machine: Machine, who: str, variables: dict[str, str], link: str = "") -> Session:
        """README's lines, with the link that was sent in place of its example."""
        lines = [re.sub(r"voicechat://[^\s']+", lambda _: link, line) for line in self._blocks[who]]
        session = machine.typed(lines, variables)
        self._sessions.append(session)
        return session

    @staticmethod
    def _join(session: Session, link: str, deadline: float) -> None:
        """Answer what the client asks, until its player is in."""
        for asked, answer in ((ASKS, link), (KEEP, "n")):
            session.until(partial(_has, (asked, INSIDE)), deadline, repr(asked))
            if INSIDE not in session.written:
                session.type(answer)
        session.until(partial(_has, (INSIDE,)), deadline, repr(INSIDE))


def _has(words: Sequence[str], text: str) -> bool:
    return any(word in text for word in words)


def is_heard(voice: Samples, recording: Path) -> bool:
    """Whether a word of ``voice`` is in a recording, which may still grow."""
    try:
        with wave.open(str(recording)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
    except (OSError, EOFError, wave.Error):  # nobody has begun to write it
        return False
    return any(_is_in(word, sound) for word in _words(voice))


def _words(voice: Samples) -> Iterator[Samples]:
    length = round(WORD * SAMPLE_RATE)
    for start in range(0, len(voice) - length, length):
        yield voice[start : start + length]


def _is_in(word: Samples, sound: Samples) -> bool:
    if len(sound) < len(word):
        return False
    said = narrow(word)
    return bool(correlations(said, narrow(sound), FLOOR * energy(said)).max() >= ALIKE)


def _write(path: Path, voice: Samples) -> None:
    """A file for the microphone's place: what it takes to be in, and then the voice."""
    with contextlib.closing(wave.open(str(path), "wb")) as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * SAMPLE_RATE))
        file.writeframes((voice * 32767).astype("<i2").tobytes())
