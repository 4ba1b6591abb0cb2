"""Invitation links."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from voicechat import invite
from voicechat.client.options import KEPT
from voicechat.errors import ConfigError
from voicechat.invite import Invite
from voicechat.security.secret import Secret
from voicechat.wire import text

SECRET = "hunter2%20and/more?"


@pytest.mark.parametrize(
    ("link", "invited"),
    [
        ("voicechat://play.example.org", Invite("play.example.org")),
        ("voicechat://play.example.org/", Invite("play.example.org")),
        ("voicechat://192.0.2.7:4321/den#secret", Invite("192.0.2.7", 4321, "den", Secret("secret"))),
        ("VoiceChat://h:/#s", Invite("h", 1234, "", Secret("s"))),
        (" voicechat://h#s\n", Invite("h", 1234, "", Secret("s"))),
        ("voicechat://[2001:db8::7]:99#s", Invite("2001:db8::7", 99, "", Secret("s"))),
        ("voicechat://[fe80::1%25eth0]", Invite("fe80::1%eth0")),
        ("voicechat://[fe80::1%eth0]", Invite("fe80::1%eth0")),
        ("voicechat://[fe80::1%2]:99", Invite("fe80::1%2", 99)),
        ("voicechat://[fe80::1%25]", Invite("fe80::1%25")),
        ("VOICECHAT://Gaming_PC.:99/#s", Invite("Gaming_PC.", 99, "", Secret("s"))),
        ("<voicechat://h/den#s>", Invite("h", 1234, "den", Secret("s"))),
        ("\ufeff\u201c voicechat://h#s \u201d\r\n", Invite("h", 1234, "", Secret("s"))),
        ("'\"voicechat://h#s\"'", Invite("h", 1234, "", Secret("s"))),
        ("\u200bvoicechat://h#s\u00a0", Invite("h", 1234, "", Secret("s"))),
        ("voicechat://h#'s'", Invite("h", 1234, "", Secret("'s'"))),
        ("voicechat://h/the%20den%2F%3f#%23a#b%25", Invite("h", 1234, "the den/?", Secret("#a#b%"))),
        (
            "voicechat://b%C3%BCcher.example/\u010daj#\u010daj",
            Invite("b\u00fccher.example", 1234, "čaj", Secret("čaj")),
        ),
    ],
)
def test_a_link_is_understood(link: str, invited: Invite) -> None:
    assert invite.parse(link) == invited


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("", "begins with voicechat://"),
        ("play.example.org", "alone is named with --host"),
        ("https://h", "begins with voicechat://"),
        ("voicechat:h", "begins with voicechat://"),
        ("voicechat://", "names no server"),
        ("voicechat:///den", "names no server"),
        ("voicechat://a b", "names no server"),
        ("voicechat://h%00", "names no server"),
        ("voicechat://h:0", "port is not"),
        ("voicechat://h:65536", "port is not"),
        ("voicechat://h:12a", "port is not"),
        ("voicechat://h:²", "port is not"),
        ("voicechat://h:000001234", "port is not"),
        ("voicechat://::1", "stands in brackets"),
        ("voicechat://[::1", "needs brackets"),
        ("voicechat://[::1]1234", "nothing but :PORT"),
        ("voicechat://[h]", "no IPv6 address"),
        ("voicechat://[192.0.2.7]", "no IPv6 address"),
        ("voicechat://[fe80::1%25a%20b]", "no IPv6 address"),
        ("voicechat://ann@h", "names no user"),
        ("voicechat://h/den?x", "%3F"),
        ("voicechat://h/a/b", "%2F"),
        ("voicechat://h/100%", "% stands alone"),
        ("voicechat://h/%zz", "% stands alone"),
        ("voicechat://h/%ff", "not UTF-8"),
        ("<voicechat://h", "begins with voicechat://"),
        ("<", "begins with voicechat://"),
        ("''", "begins with voicechat://"),
        ("voicechat://h\n/den", "broken in two"),
        ("voicechat://h/den\r\n two", "broken in two"),
        ("voicechat://[fe80::1%]", "no IPv6 address"),
        ("voicechat://h/%1b[2J", "control characters"),
        ("voicechat://h/" + "x" * 65, "at most 64 letters"),
        ("voicechat://" + "h" * 2048, "at most 2048"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(link: str, told: str) -> None:
    for text_of_link in (link, f"{link}#{SECRET}"):
        with pytest.raises(ConfigError) as error:
            invite.parse(text_of_link)
        assert "hunter2" not in str(error.value)
        assert error.value.__cause__ is None
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("voicechat://h/den#", "behind it is missing"),
        ("voicechat://h/den#hunter2%", "the password of the link a % stands alone"),
        ("voicechat://h/den#hunter2%ff", "the password of the link is not UTF-8"),
        ("voicechat://h/den#hunter2\udcff", "not valid UTF-8"),
    ],
)
def test_a_wrong_password_part_is_told_without_it(link: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        invite.parse(link)
    assert "hunter2" not in str(error.value)


def rooms() -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=16).map(text.room)


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]) | st.sampled_from("-._"), min_size=1, max_size=60)
HOSTS = NAMES | st.ip_addresses().map(str) | st.ip_addresses(v=6).map(lambda address: f"{address}%eth0")
PASSWORDS = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).map(Secret)


@given(HOSTS, st.integers(1, 65535), rooms(), PASSWORDS)
def test_what_is_written_is_understood_again(host: str, port: int, room: str, password: Secret | None) -> None:
    invited = Invite(host, port, room, password)
    assume(len(invited.link()) <= invite.LONGEST)
    assert invite.parse(invited.link()) == invited
    assert set(invited.link()).isdisjoint(" \"'`$&;|<>()!*?\\")


def test_a_link_shows_its_password_only_when_asked() -> None:
    invited = invite.parse("voicechat://h#hunter2")
    assert "hunter2" not in repr(invited) + str(invited)
    assert invited.link() == "voicechat://h#hunter2"


def test_the_port_of_a_link_without_one_is_the_clients_default() -> None:
    assert KEPT["port"].default == invite.PORT
