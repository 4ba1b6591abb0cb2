"""Cues of real clients, found in what a loudspeaker got, and in nothing that friends got."""

import signal
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from testkit.children import Children, Program
from testkit.processes import free_port
from voicechat.format import SAMPLE_RATE
from voicechat.media.cues import FIGURES, Cue

HUSH = 0.01
"""Amplitude below which a note has not begun, or is over: they rise from silence and fall back to it."""

LOOK = SAMPLE_RATE // 1000
"""Samples of a look for that: 1 ms."""


def recorded(path: Path) -> NDArray[np.float64]:
    """A recording, -1..1."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def pitches(sound: NDArray[np.float64]) -> list[float]:
    """What sounds for 30 ms or longer between two silences, one after the other: the strongest pitch of each, in Hz."""
    loud = np.abs(sound[: sound.size // LOOK * LOOK].reshape(-1, LOOK)).max(axis=1) > HUSH
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(int)))
    found = []
    for start, end in zip(edges[::2] * LOOK, edges[1::2] * LOOK, strict=True):
        if end - start >= 30 * LOOK:
            note = sound[start:end]
            spectrum = np.abs(np.fft.rfft(note * np.hanning(note.size), max(2**15, note.size)))
            found.append(float(spectrum.argmax() * SAMPLE_RATE / max(2**15, note.size)))
    return found


def cues(sound: NDArray[np.float64]) -> list[Cue]:
    """The cues in a recording that has nothing else in it."""
    notes = pitches(sound)
    figures = [
        [cue for cue, figure in FIGURES.items() if np.allclose(figure[:2], pair, atol=8)]
        for pair in zip(notes[::2], notes[1::2], strict=True)
    ]
    assert all(len(found) == 1 for found in figures), notes
    return [found[0] for found in figures]


def socket_of(home: Children, client: Program) -> str:
    return f"--socket={home.folder / 'voicechat' / f'client-{client.pid}.sock'}"


def again(client: Program) -> None:
    """Wait until it is in for the second time."""
    client.until(lambda: client.out.count("you are in as") == 2, "come back")


def test_all_cues_are_heard_by_the_player_and_none_by_a_friend(house: Children) -> None:
    """Ann's microphone gives a tone that no cue has, which Ben hears while Ann is not muted."""
    folder, port = house.folder, free_port()
    server = house.server("--port", str(port))
    ann = house.client(port, "Ann", "--cues", "on", input="tone:2500", output=f"wav:{folder}/ann.wav")
    ann.line("you are in as Ann")

    def do(*words: str) -> None:
        """And ask some things more, which takes as long as a cue: of a flood not all are played."""
        for command in (words, *[["who"]] * (3 * (words != ("quit",)))):
            assert house.start("voicechat-ctl", socket_of(house, ann), *command).end() == 0

    do("mute")
    ann.line("you talk, but are muted")
    ben = house.client(port, "Ben", output=f"wav:{folder}/ben.wav")
    ann.line("Ben joined")
    assert house.start("voicechat-ctl", socket_of(house, ben), "say", "hello").end() == 0
    ann.line("Ben: hello")
    do("deafen")
    do("undeafen")
    do("unmute")
    ben.line("Ann talks")
    server.program.signal(signal.SIGKILL)
    ann.line("the line to 127.0.0.1")
    house.server("--port", str(port))
    again(ben)
    again(ann)
    ben.signal(signal.SIGTERM)
    ben.end()
    ann.line("Ben left")
    do("quit")
    assert ann.end() == 0
    heard = [cue.name for cue in cues(recorded(folder / "ann.wav"))]
    assert heard.index("JOINED") == 2
    assert [name for name in heard if name != "JOINED"] == [  # after the restart Ben may have been there first
        *("MUTED", "UNHEARD", "TEXT", "DEAFENED", "UNDEAFENED", "UNMUTED", "LOST", "BACK", "LEFT")
    ]
    friend = pitches(recorded(folder / "ben.wav"))
    assert friend, "what Ann said"
    assert np.allclose(friend, 2500, atol=50), (
        "and no cue: they go to who has them, and into no recording unless asked for"
    )
