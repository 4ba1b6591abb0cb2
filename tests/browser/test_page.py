"""The page itself: what a stranger's browser gets, and that it can be used by everybody, everywhere."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.browsing import BrowserFriend
from testkit.children import Server
from testkit.chromium import SOON
from tests.browser.conftest import Room

ROOT = Path(__file__).parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
FOUND = (
    "axe.run(document).then(({violations}) => violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))"
)


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[BrowserFriend]:
    """A browser for which the server has a name, as it has in the world."""
    friend = BrowserFriend("Vic", "", None, "--host-resolver-rules=MAP play.example.org 127.0.0.1")
    yield friend
    friend.close()


def test_over_plain_http_it_says_so_and_offers_itself(
    visitor: BrowserFriend, server: Server, page: Path, tmp_path: Path
) -> None:
    visitor.tab.goto(f"http://play.example.org:{server.port}/")
    visitor.state("stranger")
    visitor.shows("Save this page first")
    visitor.tab.until("document.getElementById('save').href.startsWith('blob:')")
    visitor.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    visitor.tab.click("#save")
    saved = tmp_path / "voicechat.html"
    deadline = time.monotonic() + SOON
    while not saved.exists():
        assert time.monotonic() < deadline, "nothing was saved"
        visitor.tab.evaluate("new Promise((done) => setTimeout(done, 50))")
    written = f'<meta name="voicechat-server" content="play.example.org:{server.port}">'
    assert saved.read_text(encoding="utf-8") == page.read_text(encoding="utf-8").replace(
        '<meta name="voicechat-server" content="">', written
    )


def test_from_localhost_it_is_the_client(visitor: BrowserFriend, server: Server) -> None:
    visitor.tab.goto(f"http://localhost:{server.port}/")
    visitor.state("ready")
    assert visitor.tab.evaluate("document.getElementById('server').value") == f"localhost:{server.port}"


def test_a_saved_page_knows_its_server(visitor: BrowserFriend, page: Path, tmp_path: Path) -> None:
    saved = tmp_path / "voicechat.html"
    saved.write_text(
        page.read_text(encoding="utf-8").replace('server" content=""', 'server" content="play.example.org:4321"')
    )
    visitor.tab.goto(saved.as_uri())
    visitor.state("ready")
    assert visitor.tab.evaluate("document.getElementById('server').value") == "play.example.org:4321"


def test_what_is_sent_tells_nothing_of_the_server(room: Room, page: Path) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{room.server.port}/", timeout=10) as answer:
        told = str(answer.headers) + page.read_text(encoding="utf-8")
    for word in ("den", "Cid", "Twisted", "Python", "0.1.0"):
        assert f" {word}" not in told


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("width", [320, 1200])
def test_nothing_is_in_the_way_of_anybody(
    room: Room, page: Path, visitor: BrowserFriend, width: int, dark: bool
) -> None:
    """axe-core finds nothing, in the form and in the call, and nothing is wider than the screen."""
    visitor.tab.goto("about:blank")
    visitor.tab.goto(page.as_uri())
    visitor.state("ready")
    for friend in (room.ann, visitor):
        tab = friend.tab
        tab.size(width, 900, dark=dark)
        tab.evaluate("document.querySelector('details').open = true")
        tab.evaluate(AXE + "; 0")
        assert tab.evaluate(FOUND) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
