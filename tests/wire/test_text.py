"""Names, rooms and lines: short, tidy, never a command to a terminal, and nothing that the eye takes for another."""

import contextlib
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.wire import signs, text

TIDY: dict[str, Callable[[str], str]] = {"name": text.name, "room": text.room, "line": text.line}
ODD = st.sampled_from(
    [*"Ben 1☺👩👧🏴🇬🏽مकন", *"\u200c\u200d\u094d\u09cd\ufe0e\ufe0f\u20e3\u0301\u034f\u3164\u2800\u00a0\u180b"]
)
TAGS = set(map(chr, range(0xE0020, 0xE0080)))
ANY = (
    st.text(st.characters(), max_size=80)
    | st.text(st.characters(), min_size=1, max_size=3)
    | st.text(ODD | st.sampled_from(sorted(TAGS)), max_size=40)
    | st.text(ODD, max_size=12)
)

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
    "soft hyphen": "a\u00adb",
    "joiner between Latin letters": "a\u200db",
    "joiner after an emoji and before a letter": "👩\u200db",
    "joiner twice": "م\u200c\u200cم",
    "tags that are no flag": "🏴\U000e0067\U000e007f",
    "invisible times": "a\u2062b",
    "language tag": "\U000e0001",
    "a format character newer than some Pythons": "a\U00013439b",
    "joiner beside a sign that is not known yet": "\U0001fbff\u200d\U0001fbff",
}

# What Unicode calls a letter, a mark or a symbol, though nobody sees it; and empty places.
HIDDEN = {
    "grapheme joiner": "\u034f",
    "Hangul choseong filler": "\u115f",
    "Hangul jungseong filler": "\u1160",
    "Khmer inherent vowels": "\u17b4\u17b5",
    "Mongolian selectors": "\u180b\u180c\u180d\u180f",
    "Hangul filler": "\u3164",
    "halfwidth Hangul filler": "\uffa0",
    "selectors behind no emoji": "\ufe00\ufe0f",
    "a selector behind a digit": "1\ufe0f",
    "two selectors": "☺\ufe0f\ufe0f",
    "ideographic selector": "\U000e0100",
    "never assigned and ignorable": "\U000e0fff\ufff0",
    "blank Braille": "\u2800",
    "an object's place": "\ufffc",
    "a note without a head": "\U0001d159",
    "joiner at the end of a word": "م\u200c",
    "no character": "\uffff\ufdd0\U0010fffe",
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
        assert not {unicodedata.category(c) for c in passed} & {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert {c for c in passed if unicodedata.category(c) == "Cf"} <= set("\u200c\u200d") | TAGS
        assert tidy is text.line or not list(signs.misplaced(passed, within_words=True))
        assert len(passed.encode()) <= {text.name: 128, text.room: 128, text.line: 2000}[tidy]  # type: ignore[index]
        assert len(signs.letters(passed)) <= {text.name: 32, text.room: 64, text.line: 500}[tidy]  # type: ignore[index]
        text.check(passed, "the text")
        assert [
            passed[at] for at in signs.misplaced(passed) if not (tidy is text.line and signs.selects(passed[at]))
        ] == []
        assert not passed or any(unicodedata.category(c)[0] in "LNPSC" and not signs.unseen(c) for c in passed)


JOINED = {
    "Persian": "می\u200cنا",
    "Persian, after a letter that does not join on": "کار\u200cها",
    "Hindi": "क्\u200dष",
    "Hindi, not joined": "राज्\u200cय",
    "Bengali, before the virama": "র\u200d্যাচেল",
    "Malayalam, at the end": "അജയന്\u200d",
    "Sinhala": "ක්\u200dරිස්",
    "a shrug": "Ben 🤷\u200d♂\ufe0f",
    "a family": "Ben 👨\u200d👩\u200d👧\u200d👦",
    "two skins": "Ben 👩🏽\u200d🤝\u200d👨🏻",
    "a pirate": "Ben 🏴\u200d☠\ufe0f",
    "a shaking head": "Ben 🙂\u200d↔\ufe0f",
    "England": "Ben 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Texas": "Ben 🏴\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f",
    "a keycap": "Ben 1\ufe0f\u20e3",
    "a heart in colour": "Ben ❤\ufe0f",
    "a heart in black": "Ben ❤\ufe0e",
    "an emoji of tomorrow": "Ben \U0001fac7\u200d\U0001faff",
    "Hebrew with points": "שָׁלוֹם",
    "Thai": "น้ำ",
    "Vietnamese": "Nguyễn",
}


@pytest.mark.parametrize(
    "good",
    [
        "Ann",
        "Žofie",
        "李小龙",
        "مريم",
        "naïve – “quoted”",
        "a b",
        "x̂",
        "'; DROP TABLE",
        "Ben 🇨🇿",
        "👍🏽 7",
        *JOINED.values(),
    ],
)
def test_people_may_be_called_what_they_are_called(good: str) -> None:
    good = unicodedata.normalize("NFC", good)
    assert text.name(good) == good
    assert text.room(good) == good
    assert text.line(good) == good


@pytest.mark.parametrize("nameless", ["👍🏽", "🇨🇿", "...", "☺\ufe0f", "–"])
def test_a_name_has_a_letter_or_a_digit_and_a_room_need_not(nameless: str) -> None:
    with pytest.raises(WireError, match="a letter or a digit"):
        text.name(nameless)
    assert text.room(nameless) == nameless
    assert text.line(nameless) == nameless


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_nobody_sees_is_in_no_name(hidden: str) -> None:
    for around in ("{}", "Ben{}", "{}Ben", "B{}en", "Ben {} x"):
        for tidy in (text.name, text.room):
            with pytest.raises(WireError):
                tidy(around.format(hidden))


def test_a_refusal_names_the_sign() -> None:
    for name, told in (
        ("Ben\u3164", "the name may not have U+3164 HANGUL FILLER"),
        ("Ben\u200b", "the name may not have U+200B ZERO WIDTH SPACE"),
        ("B\u200den", "the name may not have U+200D ZERO WIDTH JOINER"),
        ("Ben\u2800", "the name may not have U+2800 BRAILLE PATTERN BLANK"),
        ("Ben\x1b[2J", r"the name has control characters \(U\+001B\)"),
        ("Ben\ue000", r"the name may not have U\+E000"),
        ("B" + "\u0301\u0316" * 7, r"more than 4 marks on a letter \(U\+0316"),
        ("\u0301Ben", "the name may not have U.0301 COMBINING ACUTE ACCENT"),
    ):
        with pytest.raises(WireError, match=told.replace("U+", r"U\+")):
            text.name(name)
    with pytest.raises(WireError, match=r"the text may not have U\+202E RIGHT-TO-LEFT OVERRIDE"):
        text.line("a\u202eb")


@pytest.mark.parametrize(
    "piled", ["B" + "\u0301\u0316" * 7, "م" + "\u064b" * 4 + "\u200c" + "\u064b", "x \u0301", "x" + "\u20dd" * 5]
)
def test_marks_are_not_piled_up(piled: str) -> None:
    with pytest.raises(WireError):
        text.name(piled)
    told = text.line(piled)
    assert text.line(told) == told
    assert len(told) <= len(piled)


def test_a_line_loses_what_nobody_sees_and_nothing_else() -> None:
    assert text.line("Hangul\u3164 and\u034f \U000e0100 gone") == "Hangul and  gone"
    assert text.line("a" + "\u0301\u0316" * 7 + "b") == "á" + "\u0316" * 4 + "b"
    chosen = "葛\U000e0100城, ᠠ\u180b, ☎\ufe0e, a\u00a0b"  # letters whose shape is chosen, and a space of its own kind
    assert text.line(chosen) == chosen
    for empty in ("\u3164", "\u2800 \u034f", "\u0301"):
        with pytest.raises(WireError, match="1 to 500"):
            text.line(empty)


def test_a_line_keeps_the_joiners_that_are_typed_at_the_end_of_a_word() -> None:
    assert text.line("می\u200c نا\u200d") == "می\u200c نا\u200d"


def test_spaces_in_a_name_are_plain_and_single() -> None:
    assert text.name("Ann\u00a0\u3000 Lee") == "Ann Lee"
    assert text.room("a\u2003b") == "a b"


def test_a_number_in_brackets_is_the_servers() -> None:
    for taken in ("Ben (2)", "Ben(2)", "Ben ( 2 )", "Ben （２）", "Ben ⑵", "Ben (٢)", "(2)", "Ben (2) "):
        assert text.name(taken)
        with pytest.raises(WireError, match="number in brackets"):
            text.chosen_name(taken)
    for free in ("Ben", "Ben 2", "Ben (two)", "(2) Ben", "Ben [2]"):
        assert text.chosen_name(free) == free


ALIKE = [
    "Ben",
    "ben",
    "BEN",
    "Ｂen",
    "𝐁𝐞𝐧",
    "Ben\u3164",
    "Ben\u034f",
    "Ben\u200d",
    "Ben\ufe0f",
    "Ben\u2800",
    "Ben\U0001fbff",
]


def test_likeness_is_what_the_eye_sees() -> None:
    assert {text.likeness(name) for name in ALIKE} == {"ben"}
    assert text.likeness("می\u200cنا") == text.likeness("مینا")
    assert text.likeness("STRASSE") == text.likeness("straße")
    assert len({text.likeness(name) for name in ("Ben", "Bén", "B en", "Веn", "Ben (2)", "Ben 2")}) == 6


def test_a_letter_that_is_newer_than_this_python_is_no_command() -> None:
    # U+1FBFF will be a letter one day; a friend's newer program must not be cut off for sending it.
    newer = "\U0001fbff"
    assert unicodedata.category(newer) == "Cn"
    assert text.line(f"look: {newer}") == f"look: {newer}"


def test_a_receiver_takes_a_joiner_beside_a_sign_that_it_does_not_know() -> None:
    """It may be a virama, or an emoji, of the sender's newer Python."""
    text.check("\U0001fbff\u200d\U0001fbff", "the text")
    with pytest.raises(WireError):
        text.check("a\u200db", "the text")


def test_blanks_around_are_taken_off_and_letters_composed() -> None:
    assert text.name("  Ann ") == "Ann"
    assert text.name("Z\u030cofie") == "Žofie"
    assert text.room("  ") == ""


@pytest.mark.parametrize(
    ("tidy", "longest"),
    [
        (text.name, "é" * 32),
        (text.name, "李" * 32),
        (text.name, "a" + "🦆" * 31),
        (text.name, "กุ" * 16 + "x" * 16),
        (text.name, "a" + "👨\u200d👩\u200d👧\u200d👦" * 5),  # 126 bytes
        (text.room, "é" * 64),
        (text.room, "李" * 42),  # 126 bytes
        (text.line, "é" * 500),
    ],
)
def test_the_longest_passes_and_one_letter_more_does_not(tidy: Callable[[str], str], longest: str) -> None:
    assert tidy(longest) == longest
    with pytest.raises(WireError):
        tidy(longest + "xxx"[: 1 if len(longest.encode()) != 126 else 3])


@pytest.mark.parametrize("tidy", [text.name, text.line])
def test_only_a_room_may_be_nameless(tidy: Callable[[str], str]) -> None:
    assert text.room("") == ""
    for empty in ("", " ", "\u3000"):
        with pytest.raises(WireError):
            tidy(empty)
