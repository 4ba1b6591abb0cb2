"""Real calls: a real server, real clients, real Opus, TCP and UDP on loopback."""

import signal
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from testkit.children import Children, Server, stats
from voicechat.codecs.opus import OpusCodec
from voicechat.format import FRAME_SAMPLES, SAMPLE_RATE

STATS = {
    "packets": {"in", "out"},
    "bytes": {"in", "out"},
    "frames": {"sent", "played", "recovered", "concealed", "silent", "late", "dropped"},
    "playout_delay_ms": None,
    "underruns": None,
    "overruns": None,
    "round_trip_ms": None,
    "reconnects": None,
    "pakes": None,
    "path": None,
    "path_in": None,
    "wav": {"in_start_ns", "out_start_ns"},
    "sources": None,
    "sources_left_out": None,
    "passed_over": None,
    "opus": {"version", "enhancement"},
    "echo": {"state", "cancelled", "withheld"},
}
"""The keys that --stats is promised to have, and those inside."""


def recorded(path: Path) -> NDArray[np.float64]:
    """A recording, -1..1."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2") / 32768


def strength(sound: NDArray[np.float64], hertz: float) -> NDArray[np.float64]:
    """Amplitude of a tone in each 20 ms of a sound (Goertzel's question, asked by a product)."""
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    turn = np.exp(-2j * np.pi * hertz / SAMPLE_RATE * np.arange(FRAME_SAMPLES))
    found: NDArray[np.float64] = np.abs(frames @ turn) * 2 / FRAME_SAMPLES
    return found


def heard(sound: NDArray[np.float64], hertz: float) -> int:
    """Frames in which a tone is plainly there."""
    return int((strength(sound, hertz) > 0.05).sum())


def by_libopus(home: Children) -> set[str]:
    """What a client may say of the machine's libopus; on a busy machine LACE may be spared."""
    told = OpusCodec(enhance=True, clock=lambda: 0.0).enhancement.value
    return {told, "spared"} if told == "lace" else {told}


def test_everybody_hears_everybody_else_and_nobody_himself(server: Server, home: Children) -> None:
    folder = home.folder
    cid = home.client(server.port, "Cid", output=f"wav:{folder}/cid.wav", stats=f"{folder}/cid.json")
    cid.line("you are in as Cid")
    tones = {"Ann": 440.0, "Ben": 1000.0}
    talkers = [
        home.client(
            server.port,
            name,
            *("--duration", "3"),
            input=f"tone:{hertz}",
            output=f"wav:{folder}/{name}.wav",
            stats=f"{folder}/{name}.json",
        )
        for name, hertz in tones.items()
    ]
    assert [talker.end() for talker in talkers] == [0, 0]
    for name in tones:
        cid.line(f"{name} joined")
        cid.line(f"{name} talks")
        cid.line(f"{name} left")
    cid.signal(signal.SIGTERM)
    assert cid.end() == 0
    assert [program.err for program in (cid, *talkers)] == ["", "", ""]

    by_ann, by_ben, by_cid = (recorded(folder / f"{name}.wav") for name in ("Ann", "Ben", "cid"))
    assert heard(by_ann, 1000) > 50
    assert heard(by_ann, 440) == 0
    assert heard(by_ben, 440) > 50
    assert heard(by_ben, 1000) == 0
    both = (strength(by_cid, 440) > 0.05) & (strength(by_cid, 1000) > 0.05)
    assert both.sum() > 50, "a mix of both"
    assert np.abs(by_cid).max() < 0.75, "two tones of a quarter each"

    figures = stats(folder / "cid.json")
    assert set(figures) == set(STATS)
    for key, inner in STATS.items():
        assert inner is None or set(figures[key]) == inner
    assert set(figures["sources"]) == {"Ann", "Ben"}
    assert all(frames > 50 for frames in figures["sources"].values())
    assert figures["frames"]["played"] > 100
    assert figures["frames"]["sent"] == 0
    assert figures["pakes"] == 1
    assert figures["reconnects"] == 0
    assert figures["path"] in ("tcp", "udp")
    assert 0 < figures["round_trip_ms"] < 500
    assert figures["wav"]["in_start_ns"] is None
    assert figures["wav"]["out_start_ns"] > 0
    assert figures["opus"]["version"] == OpusCodec().version
    assert figures["opus"]["enhancement"] in by_libopus(home)
    assert stats(folder / "Ann.json")["frames"]["sent"] > 100
    assert stats(folder / "Ann.json")["bytes"]["out"] > 3000


def test_one_who_is_stopped_for_two_seconds_costs_the_others_nothing(server: Server, home: Children) -> None:
    folder = home.folder
    ben = home.client(server.port, "Ben", room="stop", stats=f"{folder}/ben.json")
    cid = home.client(server.port, "Cid", room="stop", stats=f"{folder}/frozen.json")
    for program in (ben, cid):
        program.line("you are in")
    ann = home.client(
        server.port, "Ann", "--duration", "3.5", room="stop", input="tone:440", stats=f"{folder}/ann.json"
    )
    ben.line("Ann talks")
    cid.signal(signal.SIGSTOP)
    assert ann.end() == 0, ann.err
    ben.line("Ann left")
    cid.signal(signal.SIGCONT)
    cid.line("Ann left")
    for program in (ben, cid):
        program.signal(signal.SIGTERM)
        assert program.end() == 0
    sent = stats(folder / "ann.json")["frames"]["sent"]
    frames = stats(folder / "ben.json")["frames"]
    assert sent > 120
    assert frames["played"] + frames["late"] + frames["dropped"] >= sent - 1
    assert stats(folder / "frozen.json")["pakes"] == 1


def test_a_recording_is_whole_even_after_a_kill(server: Server, home: Children) -> None:
    path = home.folder / "killed.wav"
    ben = home.client(server.port, "Ben", room="kill", output=f"wav:{path}")
    ben.line("you are in")
    ann = home.client(server.port, "Ann", "--duration", "1.5", room="kill", input="tone:440")
    ann.end()
    ben.line("Ann left")
    ben.signal(signal.SIGKILL)
    assert ben.end() == -signal.SIGKILL
    sound = recorded(path)
    assert len(sound) > SAMPLE_RATE
    assert heard(sound, 440) > 25
    with path.open("rb") as file:
        file.seek(0, 2)
        assert file.tell() - 44 - 2 * len(sound) < SAMPLE_RATE * 2, "the header lags behind by a second at most"


def test_a_recording_is_played_from_the_first_entering_on(server: Server, home: Children) -> None:
    folder = home.folder
    times = np.arange(SAMPLE_RATE)
    tone = (0.3 * 32767 * np.sin(2 * np.pi * 700 / SAMPLE_RATE * times)).astype("<i2")
    with wave.open(f"{folder}/said.wav", "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    ben = home.client(
        server.port, "Ben", "--duration", "6", room="wav", output=f"wav:{folder}/heard.wav", stats=f"{folder}/b.json"
    )
    ben.line("you are in")
    ann = home.client(
        server.port, "Ann", "--duration", "2", room="wav", input=f"wav:{folder}/said.wav", stats=f"{folder}/a.json"
    )
    assert ann.end() == 0
    ben.line("Ann left")
    ben.signal(signal.SIGINT)
    assert ben.end() == 130
    sound = recorded(folder / "heard.wav")
    assert 45 <= heard(sound, 700) <= 60, "one second of tone"
    first = np.argmax(strength(sound, 700) > 0.05) * 0.02
    said, taken = stats(folder / "a.json")["wav"]["in_start_ns"], stats(folder / "b.json")["wav"]["out_start_ns"]
    delay = first - (said - taken) / 1e9
    assert 0 < delay < 0.5, "the stamps tell when it was said"


def test_ipv4_and_ipv6_meet_in_one_room(server: Server, home: Children) -> None:
    ann = home.client(server.port, "Ann", room="both", host="::1")
    ben = home.client(server.port, "Ben", room="both", host="localhost")
    for program in (ann, ben):
        program.line("you are in")
    ann.line("Ben")
    ben.line("Ann")
    for program in (ann, ben):
        program.signal(signal.SIGTERM)
        assert program.end() == 0


NEWER_OPUS = Path(__file__).parents[2] / ".cache" / "opus"
"""Where .ci/prepare opus puts a libopus that has models; the machine's own may have them, too."""


def test_with_a_newer_libopus_what_is_heard_is_enhanced_unless_told_not_to(
    server: Server, home: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(NEWER_OPUS))
    folder = home.folder
    ben = home.client(server.port, "Ben", room="newer", stats=f"{folder}/enhanced.json")
    dan = home.client(server.port, "Dan", "--enhance", "off", room="newer", stats=f"{folder}/plain.json")
    for listener, name in ((ben, "Ben"), (dan, "Dan")):
        listener.line(f"you are in as {name}")
    ann = home.client(server.port, "Ann", "--duration", "2", room="newer", input="tone:440")
    assert ann.end() == 0
    for listener in (ben, dan):
        listener.line("Ann left")
        listener.signal(signal.SIGTERM)
        assert listener.end() == 0
        assert listener.err == ""
    enhanced, plain = stats(folder / "enhanced.json"), stats(folder / "plain.json")
    assert enhanced["opus"]["enhancement"] in {"lace", "spared"}, "on a busy machine LACE may be spared"
    assert plain["opus"] == {"version": enhanced["opus"]["version"], "enhancement": "off"}
    assert min(figures["frames"]["played"] for figures in (enhanced, plain)) > 50
