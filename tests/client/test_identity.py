"""The name that a login name becomes, and names that were chosen."""

import argparse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.identity import name_of, room_of, user_name
from voicechat.errors import ConfigError
from voicechat.wire import text


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("ann", "ann"),
        ("ann@example.org", "ann@example.org"),
        ("CORP\\ann", "CORP\\ann"),
        ("maximiliane.musterfrau@corp.example.org", "maximiliane.musterfrau"),
        ("EXAMPLECORPORATION\\maximiliane.musterfrau", "maximiliane.musterfrau"),
        ("x" * 300, "x" * 32),
        ("a" + "\u0301" * 50, "\u00e1" + "\u0301" * 4),
        ("be\x1b[2Jn", "be[2Jn"),
        ("\u202ennA", "nnA"),
        ("ben (2)", "ben (2"),
        ("caf\udce9", "caf"),
        (" ann ", "ann"),
        ("\u200b", "friend"),
        ("...", "friend"),
        ("", "friend"),
    ],
)
def test_a_login_name_becomes_a_name(monkeypatch: pytest.MonkeyPatch, login: str, name: str) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: login)
    assert user_name() == name


@given(st.text())
def test_any_login_name_becomes_a_name(login: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getuser", lambda: login)
        assert text.chosen_name(user_name()) == user_name()


@pytest.mark.parametrize("why", [KeyError("uid not found"), OSError("no password database"), ImportError("pwd")])
def test_everybody_has_some_name(monkeypatch: pytest.MonkeyPatch, why: Exception) -> None:
    def nobody() -> str:
        raise why

    monkeypatch.setattr("getpass.getuser", nobody)
    assert user_name() == "friend"


def chosen(**fields: object) -> argparse.Namespace:
    return argparse.Namespace(**{"name": None, "room": "", "origin": {}, **fields})


def test_who_chose_no_name_is_told_no_rule_about_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "maximiliane.musterfrau-langenfeld@corp.example.org")
    for name in (None, ""):
        assert name_of(chosen(name=name)) == "maximiliane.musterfrau-langenfel"


@pytest.mark.parametrize(("field", "rule"), [("name", name_of), ("room", room_of)])
@pytest.mark.parametrize("origin", ["--name", "VOICECHAT_NAME", "client.toml: name"])
def test_a_name_that_cannot_be_is_told_with_where_it_was_chosen(
    field: str, rule: Callable[[argparse.Namespace], str], origin: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{origin}: "):
        rule(chosen(**{field: "x" * 200, "origin": {field: origin}}))
