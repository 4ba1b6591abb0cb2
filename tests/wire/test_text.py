"""Names, rooms and lines: short, tidy, and never a command to a terminal."""

import contextlib
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.wire import text

TIDY: dict[str, Callable[[str], str]] = {"name": text.name, "room": text.room, "line": text.line}
ANY = st.text(st.characters(), max_size=80) | st.text(st.characters(), min_size=1, max_size=3)

# What a terminal or a reader's eye may take for more than letters.
DANGEROUS = {
    "escape": "\x1b[2J",
    "bell": "\a",
    "newline inside": "a\nb",
    "carriage return": "a\rb",
    "null": "a\0b",
    "C1 control": "\x9b31m",
    "delete": "\x7f",
    "right to left override": "a\u202eb",
    "isolate": "\u2066",
    "zero width space": "a\u200bb",
    "byte order mark": "\ufeff",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "lone surrogate": "\ud800",
    "private use": "\ue000",
    "invisible tag": "\U000e0041",
}


@pytest.mark.parametrize("tidy", TIDY.values(), ids=TIDY.keys())
@pytest.mark.parametrize("dangerous", DANGEROUS.values(), ids=DANGEROUS.keys())
def test_what_controls_a_terminal_is_refused(tidy: Callable[[str], str], dangerous: str) -> None:
    with pytest.raises(WireError):
        tidy(f"x{dangerous}y")


@pytest.mark.parametrize("tidy", TIDY.values(), ids=TIDY.keys())
@given(ANY)
@example("\x1f \t")
@example("\u0958" * 22)  # grows when it is put into NFC
def test_whatever_passes_is_short_normal_and_printable(tidy: Callable[[str], str], given_text: str) -> None:
    with contextlib.suppress(WireError):
        passed = tidy(given_text)
        assert tidy(passed) == passed
        assert unicodedata.is_normalized("NFC", passed)
        assert not {unicodedata.category(c) for c in passed} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert len(passed.encode()) <= {text.name: 32, text.room: 64, text.line: 4 * 500}[tidy]  # type: ignore[index]
        text.check(passed, "the text")


@pytest.mark.parametrize(
    "good", ["Ann", "Žofie", "李小龙", "مريم", "👍🏽", "naïve – “quoted”", "a b", "🇨🇿", "x̂", "'; DROP TABLE"]
)
def test_people_may_be_called_what_they_are_called(good: str) -> None:
    assert text.name(good) == good
    assert text.room(good) == good
    assert text.line(good) == good


def test_a_letter_that_is_newer_than_this_python_is_no_command() -> None:
    # U+1FBFF will be a letter one day; a friend's newer program must not be cut off for sending it.
    newer = "\U0001fbff"
    assert unicodedata.category(newer) == "Cn"
    assert text.line(f"look: {newer}") == f"look: {newer}"


def test_blanks_around_are_taken_off_and_letters_composed() -> None:
    assert text.name("  Ann ") == "Ann"
    assert text.name("Z\u030cofie") == "Žofie"
    assert text.room("  ") == ""


@pytest.mark.parametrize(("tidy", "longest"), [(text.name, "é" * 16), (text.room, "é" * 32), (text.line, "é" * 500)])
def test_the_longest_passes_and_one_letter_more_does_not(tidy: Callable[[str], str], longest: str) -> None:
    assert tidy(longest) == longest
    with pytest.raises(WireError):
        tidy(longest + "x")


@pytest.mark.parametrize("tidy", [text.name, text.line])
def test_only_a_room_may_be_nameless(tidy: Callable[[str], str]) -> None:
    assert text.room("") == ""
    for empty in ("", " ", "\u3000"):
        with pytest.raises(WireError):
            tidy(empty)
