"""Debian's miniupnpd opens the port, keeps it, and closes it; a friend outside comes in by the link that is printed."""

import json
import signal
from pathlib import Path

import pytest

from tests.router.town import NOTHING, OUTSIDE, Town
from voicechat.server.router import memory

BOTH = {"tcp 1234", "udp 1234"}
AT = f"friends reach it at voicechat://{OUTSIDE}"


def link(town: Town) -> str:
    """What `invite` prints for friends outside."""
    asked = town.start(town.home, "voicechat-server", "invite", "--state", str(town.house.folder / "state"))
    assert asked.end() == 0, asked.err
    (line,) = [line for line in asked.out.splitlines() if "from outside:" in line]
    return line.split("'")[1]


def test_it_is_opened_friends_come_in_and_it_is_gone_at_sigterm(town: Town) -> None:
    town.daemon()
    server = town.server()
    assert server.line("the router opened").endswith(f"port 1234, TCP and UDP (PCP): {AT}")
    assert town.open == BOTH
    invitation = link(town)
    assert OUTSIDE in invitation
    ann = town.start(
        town.friend, "voicechat-client", invitation, "--name", "Ann", "--input", "silence", "--output", "null"
    )
    ann.line("you are in as Ann")
    server.line("'Ann' entered")
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert server.err == ""
    assert town.open == set()
    assert not (town.house.folder / "state" / memory.FILE).exists()


def test_where_the_outer_port_is_another_sound_finds_it_too(town: Town, tmp_path: Path) -> None:
    """The welcome names the UDP port to friends who come from outside; else all would go by TCP."""
    town.daemon()
    town.taken_by_another(1234)
    server = town.server()
    line = server.line("the router opened")
    port = int(line.rpartition(":")[2])
    assert port != 1234, line
    assert town.open == BOTH | {f"tcp {port}", f"udp {port}"}
    written = tmp_path / "stats.json"
    words = ("--name", "Ann", "--input", "silence", "--output", "null", "--duration", "4", "--stats", str(written))
    ann = town.start(town.friend, "voicechat-client", link(town), *words)
    assert ann.end() == 0, ann.out + ann.err
    assert json.loads(written.read_text())["path"] == "udp"


def test_a_router_that_was_restarted_is_asked_again_at_once(town: Town) -> None:
    town.daemon()
    server = town.server()
    server.line("the router opened")
    town.restart()
    town.until_open(BOTH)
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert town.open == set()


def test_what_a_crash_left_is_taken_back(town: Town) -> None:
    town.daemon()
    server = town.server()
    server.line("the router opened")
    server.kill()
    assert town.open == BOTH
    again = town.server("--map-port", "--port", "4000")
    again.line("the router opened")
    assert town.open == {"tcp 4000", "udp 4000"}
    again.kill()
    last = town.server("--no-map-port", "--port", "0")
    town.until_open(set())
    last.signal(signal.SIGTERM)
    assert last.end() == 0


def test_a_refusal_is_told_with_what_to_do_and_the_server_serves(town: Town) -> None:
    town.daemon(NOTHING, natpmp=False)  # to PCP it says nothing for so long as it tries all ports
    server = town.server()
    line = server.line("the router does not allow it")
    assert line.endswith(": forward port 1234, TCP and UDP, in its settings by hand")
    assert town.open == set()
    server.signal(signal.SIGTERM)
    assert server.end() == 0


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_by_upnp_where_there_is_nothing_else(town: Town, end: signal.Signals) -> None:
    town.daemon(natpmp=False)
    server = town.server()
    assert "(UPnP)" in server.line("the router opened")
    assert town.open == BOTH
    server.signal(end)
    assert server.end() == (0 if end is signal.SIGTERM else -end)
    assert town.open == set()
