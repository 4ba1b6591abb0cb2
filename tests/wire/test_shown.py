"""Names in lines: none counterfeits a line, and right-to-left text moves nothing beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.wire import shown

FSI, PDI = "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Ben", "Ben"),
        ("Ben (2)", "Ben (2)"),
        ("Žofie", "Žofie"),
        ("O'Brien-Smith", "O'Brien-Smith"),
        ("max.muster@corp", "max.muster@corp"),
        ("李小龙", "李小龙"),
        ("Ben🤷\u200d♂\ufe0f", "Ben🤷\u200d♂\ufe0f"),
        ("क्\u200dष", "क्\u200dष"),
        ("Ann Lee", "'Ann Lee'"),
        ("Ben left (shut down). Ann", "'Ben left (shut down). Ann'"),
        ("[12:31] Ben", "'[12:31] Ben'"),
        ("Ben:", "'Ben:'"),
        ("Ben.", "'Ben.'"),
        ("#3", "'#3'"),
        ("'Ben", '"\'Ben"'),
        ("Ann (away)", "'Ann (away)'"),
        ("Ann, Ben", "'Ann, Ben'"),
        ("Ben' left. 'Ann", "\"Ben' left. 'Ann\""),
        ("a' b\" c", "'a\\' b\" c'"),
        ("a\\ b", "'a\\\\ b'"),
        ("Ben\u3164", "'Ben\\u3164'"),
        ("Ben\u2800", "'Ben\\u2800'"),
        ("Ben\ufe0f", "'Ben\\ufe0f'"),
        ("Ben\U000e0100", "'Ben\\U000e0100'"),
    ],
)
def test_a_name_cannot_counterfeit_a_line(name: str, told: str) -> None:
    assert shown.named(name) == told


@given(st.text(st.sampled_from("'\"\\ a(2)م"), min_size=1, max_size=12))
def test_a_quoted_name_ends_where_its_quotes_do(name: str) -> None:
    told = shown.quoted(name).replace(FSI, "").replace(PDI, "")
    quote, inner, at = told[0], told[1:-1], 0
    assert told[-1] == quote in "'\""
    read = ""
    while at < len(inner):
        assert inner[at] != quote
        at += inner[at] == "\\"
        read += inner[at]
        at += 1
    assert read == name


@given(st.text(st.sampled_from("ab ١مא.(2)"), min_size=1, max_size=12))
def test_right_to_left_text_stands_between_isolates_and_other_text_does_not(text: str) -> None:
    for told in (shown.isolated(text), shown.quoted(text), shown.named(text)):
        mixed = any(sign in text for sign in "١מאم")
        assert (told.count(FSI), told.count(PDI)) == (mixed, mixed)
        if mixed:
            before, _, rest = told.partition(FSI)
            inside, _, after = rest.partition(PDI)
            assert not set(before + after) - set("'\"")
            assert inside.replace("\\", "") == text


def test_what_was_cut_is_closed() -> None:
    assert shown.closed(f"x {FSI}ab") == f"x {FSI}ab{PDI}"
    assert shown.closed(f"x {FSI}ab{PDI} y") == f"x {FSI}ab{PDI} y"
