"""Who can use which link, what the host is told, and a code that a reader of ours did not make reads again."""

import io
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
import segno
import zxingcpp

from voicechat import invite
from voicechat.invite import Invite
from voicechat.security.secret import Secret
from voicechat.server import invitation
from voicechat.server.invitation import OUTER, OUTSIDE, SAME

SECRET = Secret("secret")
HOME = [ip_address("192.168.1.7"), ip_address("fd00::7")]
PUBLIC_4, PUBLIC_6 = ip_address("1.2.3.4"), ip_address("2600::7")


def links(*own: str, host: str = "", port: int = 1234) -> list[tuple[str, str]]:
    return invitation.links(Invite(host, port, "", SECRET), [ip_address(text) for text in own])


def test_addresses_of_a_home_are_for_the_same_network() -> None:
    assert links("192.168.1.7", "fd00::7") == [
        (SAME, "voicechat://192.168.1.7#secret"),
        (SAME, "voicechat://[fd00::7]#secret"),
        (OUTSIDE, f"voicechat://{OUTER}#secret"),
    ]


@pytest.mark.parametrize("address", ["10.1.2.3", "172.20.0.1", "100.64.0.1", "fd12:3456::1", "fc00::1", "192.0.2.2"])
def test_an_address_that_leads_nowhere_from_outside_is_not_offered_for_it(address: str) -> None:
    assert [who for who, link in links(address) if OUTER not in link] == [SAME]


def test_public_addresses_come_after_those_of_the_network_and_make_the_router_unnecessary() -> None:
    assert links("2600::7", "192.168.1.7") == [
        (SAME, "voicechat://192.168.1.7#secret"),
        (OUTSIDE, "voicechat://[2600::7]#secret"),
        (OUTSIDE, f"voicechat://{OUTER}#secret"),
    ]
    assert links("1.2.3.4") == [(OUTSIDE, "voicechat://1.2.3.4#secret")]


def test_a_host_is_all_there_is() -> None:
    assert links("192.168.1.7", host="play.example.org", port=4000) == [
        (OUTSIDE, "voicechat://play.example.org:4000#secret")
    ]


def test_the_host_is_told_what_a_friend_types_and_what_the_router_needs() -> None:
    told = invitation.told(Invite("", 4321, "den", SECRET), HOME)
    assert "same network:  voicechat-client 'voicechat://192.168.1.7:4321/den#secret' --name NAME\n" in told
    assert "same network:  voicechat-client 'voicechat://[fd00::7]:4321/den#secret' --name NAME\n" in told
    assert f"from outside:  voicechat-client 'voicechat://{OUTER}:4321/den#secret' --name NAME\n" in told
    assert "forward port 4321, TCP and UDP" in told
    assert "CGNAT" in told
    assert max(map(len, told.splitlines())) < 120


def test_without_an_address_the_command_is_still_there() -> None:
    told = invitation.told(Invite("", 1234, "", SECRET), [])
    assert f"voicechat://{OUTER}#secret" in told


def test_with_a_public_address_nothing_is_said_of_the_routers() -> None:
    assert "CGNAT" not in invitation.told(Invite("", 1234, "", SECRET), [PUBLIC_4])
    assert "CGNAT" in invitation.told(Invite("", 1234, "", SECRET), [PUBLIC_6])


def test_addresses_are_such_that_others_can_use() -> None:
    for address in invitation.addresses():
        assert not address.is_loopback
        assert not address.is_link_local


def pixels(drawn: str) -> Any:
    """What a terminal shows of half blocks, four pixels wide a module."""
    halves = {" ": (0, 0), "▀": (255, 0), "▄": (0, 255), "█": (255, 255)}
    lines = [line.removeprefix("\x1b[97;40m").removesuffix("\x1b[0m") for line in drawn.splitlines()]
    rows = [[halves[sign][half] for sign in line] for line in lines for half in (0, 1)]
    return np.kron(np.array(rows, np.uint8), np.ones((4, 4), np.uint8))


LINKS = ["voicechat://play.example.org#k7qx-m3vt-9hrw", "voicechat://[2600::7]:4321/the%20den#%C4%8Cen%C4%9Bk%20%23"]


def read(drawn: str) -> str:
    (found,) = zxingcpp.read_barcodes(pixels(drawn), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    text: str = found.text
    return text


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("colours", [False, True])
def test_a_code_is_read_again(link: str, colours: bool) -> None:
    """By a reader of others; on a dark terminal as on a light one where it has its own colours."""
    drawn = invitation.code(link, half_blocks=True, colours=colours)
    assert read(drawn) == link
    assert invite.parse(read(drawn)).link() == link
    assert ("\x1b[" in drawn) is colours


@pytest.mark.parametrize("password", ["x", "a b", "'\"$`\\!", "Čeněk 🎮", "#&%/", "0" * 64, "ž" * 64])
def test_any_password_is_in_the_code(password: str) -> None:
    link = Invite("play.example.org", 1234, "", Secret(password)).link()
    assert read(invitation.code(link, half_blocks=True, colours=False)) == link


def test_where_there_are_no_half_blocks_it_is_drawn_with_blanks() -> None:
    drawn = invitation.code(LINKS[0], half_blocks=False, colours=True)
    assert drawn.isascii()
    plain = io.StringIO()
    segno.make(LINKS[0], micro=False).terminal(plain)
    assert drawn == plain.getvalue().rstrip("\n")
