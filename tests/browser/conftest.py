"""A server, two friends in browsers and one at a terminal, who share a room for all tests of this lane.

``make browser`` runs it. Everybody's page is a file that was fetched from the server's own port, as a friend
has it. Ann and Ben talk all the time; Cid is silent, and writes down what happens.
"""

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import soundfile

from demo.script import VOICES, flowing, read
from testkit.browsing import BrowserFriend
from testkit.children import PASSWORD, Children, Program, Server, children
from voicechat.format import SAMPLE_RATE


class Room(NamedTuple):
    """The room, and who is in it."""

    server: Server
    ann: BrowserFriend
    ben: BrowserFriend
    cid: Program


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """Programs that end with the lane."""
    with children(tmp_path_factory.mktemp("house")) as held:
        yield held


@pytest.fixture(scope="session")
def server(house: Children) -> Server:
    """Five seats: one more than the room needs."""
    return house.server("--max-clients", "5", "--interface", "127.0.0.1")


@pytest.fixture(scope="session")
def page(house: Children, server: Server) -> Path:
    """The page, saved from the server's port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/html")
        saved = house.folder / "voicechat.html"
        saved.write_bytes(answer.read())
    return saved


def microphone(folder: Path, name: str, voice: str) -> Path:
    """Somebody who talks without a pause."""
    path = folder / f"{name}.wav"
    soundfile.write(path, flowing(read(VOICES / f"{voice}.flac")), SAMPLE_RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def room(house: Children, server: Server, page: Path) -> Iterator[Room]:
    """All three are in."""
    friends = [
        BrowserFriend(name, page, microphone(house.folder, name, voice))
        for name, voice in (("Ann", "en_f2"), ("Ben", "en_m4"))
    ]
    try:
        cid = house.client(server.port, "Cid", ui="line", room="den")
        cid.line("you are in as Cid")
        for friend in friends:
            friend.enter(server.port, PASSWORD, "den")
        ann, ben = friends
        yield Room(server, ann, ben, cid)
    finally:
        for friend in friends:
            friend.close()


@pytest.fixture
def ann(room: Room) -> Iterator[BrowserFriend]:
    """Ann, who is heard, hears, and has nothing pressed, before and after each test."""
    pressed = (
        "document.querySelectorAll('#mute[aria-pressed=true], #deafen[aria-pressed=true]').forEach(b => b.click())"
    )
    room.ann.tab.evaluate(pressed)
    room.ben.hears_more()
    yield room.ann
    room.ann.tab.evaluate(pressed)
