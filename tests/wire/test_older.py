"""What 0.1.0 is sent: whatever passes today passes its own check, too.

That check stands here as it stood there (commit 7093656, voicechat/wire/text.py), so that no change
of today's can change it.
"""

import contextlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.test_text import ANY, JOINED
from voicechat.errors import WireError
from voicechat.wire import messages, older, text

COMMANDS_0_1_0 = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def check_0_1_0(given_text: str) -> None:
    """0.1.0 ends the connection at a text that fails here."""
    assert given_text.isprintable() or not any(unicodedata.category(c) in COMMANDS_0_1_0 for c in given_text)


def title_0_1_0(name: str, most: int) -> None:
    """And refuses a name or a room that fails here."""
    check_0_1_0(name)
    assert unicodedata.normalize("NFC", name).strip() == name
    assert len(name.encode()) <= most


@given(ANY)
def test_whatever_passes_today_has_a_form_that_0_1_0_takes(given_text: str) -> None:
    with contextlib.suppress(WireError):
        name = older.name(text.name(given_text))
        title_0_1_0(name, 32)
        assert name
    with contextlib.suppress(WireError):
        title_0_1_0(older.room(text.room(given_text)), 64)
    with contextlib.suppress(WireError):
        line = older.line(text.line(given_text))
        check_0_1_0(line)
        assert 1 <= len(unicodedata.normalize("NFC", line).strip()) <= 500


@given(st.text(st.characters(exclude_categories=["C", "Z", "M"]), min_size=1, max_size=8).map(lambda name: "x" + name))
def test_what_0_1_0_takes_is_left_as_it_is(name: str) -> None:
    with contextlib.suppress(WireError):
        name = text.name(name)
        if len(name.encode()) <= 32 and not any(unicodedata.category(sign) == "Cf" for sign in name):
            assert older.name(name) == name


@pytest.mark.parametrize("joined", JOINED.values(), ids=JOINED.keys())
def test_joiners_and_tags_are_taken_out_and_nothing_else(joined: str) -> None:
    joined = unicodedata.normalize("NFC", joined)
    left = "".join(sign for sign in joined if unicodedata.category(sign) != "Cf")
    assert older.line(joined) == unicodedata.normalize("NFC", left)
    title_0_1_0(older.name(joined), 32)


def test_a_name_is_shortened_between_letters() -> None:
    assert older.name("é" * 32) == "é" * 16
    assert older.name("x" + "é" * 31) == "x" + "é" * 15
    assert older.name("x" * 31 + "e\u0302\u0323") == "x" * 31
    assert older.name("x" * 29 + "👍🏽") == "x" * 29


def test_a_request_is_one_that_0_1_0_grants() -> None:
    asked = messages.Request("می\u200cنا", "é" * 40, capabilities=messages.CAPABILITIES)
    assert older.request(asked) == messages.Request("مینا", "é" * 32, capabilities=messages.CAPABILITIES)
