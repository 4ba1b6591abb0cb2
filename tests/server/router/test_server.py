"""What the rest of the server makes of a port that a router opened: the welcome's UDP port, and invitations."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from voicechat.invite import Invite
from voicechat.security.secret import Secret
from voicechat.server import command, invitation
from voicechat.server.command import Serve
from voicechat.server.datagrams import from_outside
from voicechat.server.router import choice, memory
from voicechat.server.router.memory import Remembered

OWN = [ip_address("192.168.1.20"), ip_address("2a00::5")]
MAPPED = (ip_address("8.9.10.11"), 4000)


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("8.9.10.11", True),
        ("192.168.1.7", False),
        ("100.64.0.9", False),
        ("127.0.0.1", False),
        ("2a00:1::/64", False),
        ("local", False),
    ],
)
def test_who_comes_through_the_router_is_known_by_their_address(address: str, outside: bool) -> None:
    assert from_outside(address) is outside


def test_links_have_the_outer_address_and_port() -> None:
    found = invitation.links(Invite("", 1234), OWN, MAPPED)
    assert (invitation.OUTSIDE, "voicechat://8.9.10.11:4000") in found
    assert (invitation.SAME, "voicechat://192.168.1.20") in found
    assert invitation.OUTER not in invitation.told(Invite("", 1234), OWN, MAPPED)


@pytest.mark.parametrize(
    ("address", "inner", "said"),
    [
        ("8.9.10.11", 1234, "voicechat://8.9.10.11:4000#"),
        ("100.64.3.4", 1234, "Your router opened port 4000, but your provider shares one address"),
        ("192.168.0.2", 1234, "Your router opened port 4000, but it stands behind another router"),
        ("8.9.10.11", 1235, "forward port 1234, TCP and UDP"),
    ],
)
def test_invite_says_what_came_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, inner: int, said: str
) -> None:
    memory.remember(tmp_path, Remembered("192.168.1.1", inner, "00" * 12, "PCP", 4000, address))
    assert (
        command.main(["invite", "--password", Secret("a password of four words").reveal(), "--state", str(tmp_path)])
        == 0
    )
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "kept", "wanted"),
    [
        ((), None, False),
        ((), "yes", True),
        ((), "no", False),
        (("--no-map-port",), "yes", False),
        (("--map-port",), "no", True),
    ],
)
def test_the_option_is_stronger_than_what_was_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], kept: str | None, wanted: bool
) -> None:
    monkeypatch.delenv("VOICECHAT_MAP_PORT", raising=False)
    if kept is not None:
        (tmp_path / choice.FILE).write_text(kept)
    options = Serve()
    options.parseOptions([*words, "--port", "0", "--password", "a password of four words", "--state", str(tmp_path)])
    assert options["map-port"] is wanted


@pytest.mark.parametrize(
    ("typed", "wanted", "kept"),
    [("y\n", True, True), ("YES\n", True, True), ("\n", False, False), ("n\n", False, False), ("", False, None)],
)
def test_a_host_at_a_terminal_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, wanted: bool, kept: bool | None
) -> None:
    """The end of the input is no answer: they are asked again the next time."""
    monkeypatch.setattr(choice, "_can_ask", lambda: True)
    reading, writing = os.pipe()
    os.write(writing, typed.encode())
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert choice.asked(tmp_path, 1234) is wanted
    assert choice.remembered(tmp_path) is kept
    if kept is not None:
        assert choice.asked(tmp_path, 1234) is wanted, "stdin is closed: whoever asked again would fail"


def test_where_nobody_answers_the_server_starts_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_can_ask", lambda: True)
    monkeypatch.setattr(choice, "WAIT", 0.0)
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w"):
        monkeypatch.setattr("sys.stdin", stdin)
        assert not choice.asked(tmp_path, 1234)
    assert choice.remembered(tmp_path) is None
