"""Getting in: what can go wrong is told in the words of docs/client.md, and what broke comes back by itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.browsing import BrowserFriend
from testkit.children import PASSWORD, Children, Server

ERROR = "document.getElementById('join-error').textContent"


@pytest.fixture(scope="module")
def dan(page: Path) -> Iterator[BrowserFriend]:
    """Somebody without a voice."""
    friend = BrowserFriend("Dan", page, None)
    yield friend
    friend.close()


def refused(friend: BrowserFriend, link: str) -> str:
    friend.open(link)
    friend.join()
    friend.tab.until(f"{ERROR} !== ''")
    told: str = friend.tab.evaluate(ERROR)
    return told


def test_what_is_wrong_with_a_login_is_told(dan: BrowserFriend, house: Children) -> None:
    server = house.server("--max-clients", "2", "--room-size", "1", "--interface", "127.0.0.1")
    where = f"127.0.0.1 port {server.port}"
    assert refused(dan, f"voicechat://127.0.0.1:{server.port}/%23wr0ng-secret&name=Dan") == (
        f"the password was refused by {where}; ask your host for the right one"
    )
    assert "does not end with a number" in refused(
        dan, f"voicechat://127.0.0.1:{server.port}/%23{PASSWORD}&name=Dan%20(2)"
    )
    house.client(server.port, "Eva", room="den", ui="line").line("you are in as Eva")
    assert refused(dan, f"voicechat://127.0.0.1:{server.port}/den%23{PASSWORD}&name=Dan") == (
        f"this room on {where} is full; try again later, or another room"
    )
    house.client(server.port, "Fay", ui="line").line("you are in as Fay")
    assert refused(dan, f"voicechat://127.0.0.1:{server.port}/other%23{PASSWORD}&name=Dan") == (
        f"{where} is full; try again when somebody has left"
    )
    server.program.signal(signal.SIGTERM)
    server.program.end()
    assert refused(dan, f"voicechat://127.0.0.1:{server.port}/%23{PASSWORD}&name=Dan") == (
        f"cannot reach {where}: nobody listens there; is the server on, and the address right?"
    )


def test_a_server_that_was_killed_and_comes_back_has_them_back(dan: BrowserFriend, house: Children) -> None:
    server = house.server("--interface", "127.0.0.1")
    dan.enter(server.port, PASSWORD)
    server.program.kill()
    dan.state("waiting")
    dan.shows("NOT CONNECTED")
    dan.shows("trying again in")
    again = house.start(
        *("twistd", "-n", "--pidfile=", "voicechat", "--interface", "127.0.0.1"),
        *("--port", str(server.port), "--password-file", str(house.password_file)),
    )
    again.line("listening on port")
    assert dan.state("in") < 10
    assert not dan.tab.evaluate("document.body.innerText.includes('NOT CONNECTED')")
    dan.tab.click("#leave")
    dan.state("left")
    again.line("'Dan' left")


def test_an_invitation_with_join_joins_at_once_and_keeps_no_secret(dan: BrowserFriend, server: Server) -> None:
    dan.tab.goto("about:blank")
    dan.tab.goto(f"{dan.page}#voicechat://127.0.0.1:{server.port}/quiet%23{PASSWORD}&name=Dan&join")
    dan.state("in")
    assert PASSWORD not in dan.tab.evaluate("location.href + localStorage.getItem('voicechat')")
    dan.tab.click("#leave")
    dan.state("left")
    assert dan.tab.evaluate("document.getElementById('room').value") == "quiet"
