"""Calls between Windows, by Wine, and Linux: recorded voices, judged by what was heard, as the demo judges."""

from pathlib import Path

import pytest
import soundfile

from demo import script
from demo.compare import Listening, compare
from demo.timeline import Track
from testkit.children import Children, stats
from testkit.wine import ours
from tests.windows.conftest import Friend
from voicechat.format import SAMPLE_RATE

CLIENT = "voicechat-client.exe"

ON_LINUX, BY_UDP, BY_TCP = script.CAST
"""Who of the demo's cast is where."""


def options(house: Children, name: str, port: int, *more: str) -> list[str]:
    """A client's words; its sound is two WAV files beside its stats, named for its player."""
    files = {"--input": "wav:said-{}.wav", "--output": "wav:heard-{}.wav", "--stats": "stats-{}.json"}
    sound = [word for option, form in files.items() for word in (option, form.format(name))]
    server = ["--host", "127.0.0.1", "--port", str(port), "--password-file", house.password_file.name]
    return [*server, "--name", name, *sound, "--ui", "line", *more]


def track(folder: Path, name: str, kind: str, moment: int) -> Track:
    return Track(script.read(folder / f"{kind}-{name}.wav"), moment)


def judged(folder: Path) -> dict[str, Listening]:
    """What each listener heard, all on our clock."""
    said, heard = {}, {}
    for name in script.CAST:
        wav = stats(folder / f"stats-{name}.json")["wav"]
        here = (lambda moment: moment) if name == ON_LINUX else ours
        said[name] = track(folder, name, "said", here(int(wav["in_start_ns"])))
        heard[name] = track(folder, name, "heard", here(int(wav["out_start_ns"])))
    return {it.listener: it for it in compare(said, heard)}


@pytest.fixture(scope="module")
def call(friend: Friend, house_of_module: Children) -> Path:
    """Three talk in turn, in pairs and all at once: one on Linux, one on Windows over UDP, one there over TCP."""
    house = house_of_module
    server = house.server()
    for name, samples in script.tracks().items():
        soundfile.write(house.folder / f"said-{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
    lasts = ("--duration", f"{script.length():.1f}")
    clients = [
        friend.start(house, CLIENT, *options(house, BY_UDP, server.port, *lasts)),
        friend.start(house, CLIENT, *options(house, BY_TCP, server.port, "--path", "tcp", *lasts)),
    ]
    for client in clients:
        client.line("you are in as")
    clients.append(house.start("voicechat-client", *options(house, ON_LINUX, server.port, *lasts)))
    for client in clients:
        assert client.end(script.length() + 20) == 0, client.out + client.err
    return house.folder


def test_everyone_hears_everyone_else_and_nobody_themselves(call: Path) -> None:
    listenings = judged(call)
    assert set(listenings) == {ON_LINUX, BY_UDP, BY_TCP}
    assert [failure for listening in listenings.values() for failure in listening.failures()] == []


def test_each_went_the_way_that_was_asked_for(call: Path) -> None:
    paths = {name: stats(call / f"stats-{name}.json")["path"] for name in script.CAST}
    assert (paths[BY_UDP], paths[BY_TCP]) == ("udp", "tcp")
