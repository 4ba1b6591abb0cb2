"""What systemd is told, and when it is told nothing."""

import os
import socket
from pathlib import Path

import pytest

from tests.server.house import House, TcpFriend
from voicechat.server.supervision import FEEDS, LEAST, OVERDUE, Supervision, fed_each, notifier


@pytest.mark.parametrize(
    ("environ", "each"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "9000000"}, 9.0 / FEEDS),
        ({"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": str(os.getpid())}, 9.0 / FEEDS),
        ({"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "1"}, LEAST),
        ({"WATCHDOG_USEC": "1" * 5000}, None),
    ],
)
def test_the_watchdog_is_fed_thrice_in_its_time(environ: dict[str, str], each: float | None) -> None:
    assert fed_each(environ) == each


def test_news_goes_to_the_socket_that_is_named(tmp_path: Path) -> None:
    for name in (str(tmp_path / "notify"), f"@voicechat test {os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(name.replace("@", "\0", 1))
            systemd.setblocking(False)
            notify = notifier({"NOTIFY_SOCKET": name})
            assert notify is not None
            notify("READY=1")
            assert systemd.recv(100) == b"READY=1"
        notify("WATCHDOG=1")  # nobody listens any more, and nobody minds


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_systemd_nothing_is_told(environ: dict[str, str]) -> None:
    assert notifier(environ) is None


def test_it_is_told_ready_alive_and_stopping() -> None:
    house, told = House(), list[str]()
    supervision = Supervision(house.clock, house.hub, told.append, 3.0)
    supervision.ready()
    assert told == ["READY=1\nSTATUS=0 of 4 seats taken, rooms: 0"]
    TcpFriend(house, "Ann", room="red").begin()
    house.login()
    house.pass_seconds(3.1)
    assert told[1:] == ["WATCHDOG=1\nSTATUS=1 of 4 seats taken, rooms: 1"]
    supervision.stopping()
    house.pass_seconds(10)
    assert told[2:] == ["STOPPING=1"]


def test_without_a_watchdog_nobody_is_woken() -> None:
    house, told = House(), list[str]()
    supervision = Supervision(house.clock, house.hub, told.append, None)
    supervision.ready()
    assert not house.clock.getDelayedCalls()
    supervision.stopping()
    assert len(told) == 2


def test_a_beat_that_is_overdue_starves_the_watchdog() -> None:
    house, told = House(), list[str]()
    supervision = Supervision(house.clock, house.hub, told.append, 3.0)
    friends = [TcpFriend(house, name).begin() for name in ("Ann", "Ben", "Cid")]
    house.login()
    for friend in friends:
        friend.talk(0.1)
    house.pass_ticks(20)
    assert house.hub.ticker.running
    supervision._feed()
    assert told[-1].startswith("WATCHDOG=1")
    house.clock.rightNow += OVERDUE + 1.0  # time goes by, and nothing is called
    supervision._feed()
    assert told[-1].startswith("STATUS=")
    house.pass_ticks(2)
    supervision._feed()
    assert told[-1].startswith("WATCHDOG=1")
