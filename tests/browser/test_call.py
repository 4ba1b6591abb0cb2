"""Two friends in browsers and one at a terminal talk by the demo's script: each hears both others, and not themselves.

Ann's sound goes over UDP, by WebRTC; Ben's over the WebSocket alone. The judge is the demo's. What a browser
said is what its page was given by the microphone; what it heard is what went to its loudspeaker.
"""

from pathlib import Path

import pytest
import soundfile

from demo import script
from demo.compare import Listening, compare
from demo.timeline import Track
from testkit.browsing import BrowserFriend
from testkit.children import PASSWORD, Children, stats
from voicechat.format import SAMPLE_RATE


@pytest.fixture(scope="module")
def judged(house: Children, page: Path) -> tuple[Listening, ...]:
    """One call of 40 s, and what each heard."""
    server = house.server("--interface", "127.0.0.1")
    folder = house.folder
    for name, track in script.tracks().items():
        soundfile.write(folder / f"said-{name}.wav", track, SAMPLE_RATE, subtype="PCM_16")
    friends = {
        name: BrowserFriend(name, page, folder / f"said-{name}.wav", udp=udp)
        for name, udp in (("Ann", True), ("Ben", False))
    }
    try:
        for friend in friends.values():
            friend.open(f"voicechat://127.0.0.1:{server.port}/%23{PASSWORD}&name={friend.name}")
        seconds = script.length()
        cid = house.client(
            server.port,
            "Cid",
            input=f"wav:{folder / 'said-Cid.wav'}",
            output=f"wav:{folder / 'heard-Cid.wav'}",
            duration=str(seconds),
            stats=str(folder / "stats-Cid.json"),
            ui="line",
        )
        cid.line("you are in as Cid")
        for friend in friends.values():
            friend.join()
        assert cid.end(seconds + 30) == 0
        paths = {name: friend.tab.evaluate("document.documentElement.dataset.path") for name, friend in friends.items()}
        assert paths == {"Ann": "udp", "Ben": "tcp"}
        said: dict[str, Track] = {}
        heard: dict[str, Track] = {}
        for name, friend in friends.items():
            for which, tracks in (("said", said), ("heard", heard)):
                tracks[name] = Track(*friend.sound(which))
        wav = stats(folder / "stats-Cid.json")["wav"]
        said["Cid"] = Track(script.read(folder / "said-Cid.wav"), int(wav["in_start_ns"]))
        heard["Cid"] = Track(script.read(folder / "heard-Cid.wav"), int(wav["out_start_ns"]))
    finally:
        for friend in friends.values():
            friend.close()
    return compare(said, heard)


def test_each_hears_both_others_and_nobody_themselves(judged: tuple[Listening, ...], tell: list[str]) -> None:
    for listening in judged:
        me = listening.listener
        tell += [
            f"{me} hears {hearing.friend}: {hearing.alone.value:.2f} alone, {hearing.across.value:.2f} both, "
            f"{hearing.in_mix.value:.2f} in the mix; {hearing.delay_ms} ms, {hearing.mixed_delay_ms} ms mixed"
            for hearing in listening.hearings
        ]
        tell.append(f"{me}'s own voice: {listening.own_alone.value:.2f}, {listening.own_together.value:.2f}")
    assert [failure for listening in judged for failure in listening.failures()] == []
