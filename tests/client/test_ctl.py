"""The words that voicechat-ctl is given, without a client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client import ctl

ARGUMENTS = st.lists(
    st.sampled_from([*ctl.WORDS, "--json", "--socket", "--socket=x", "--socket=", "--", "-6", "--frob"])
    | st.text(max_size=5),
    max_size=5,
)


@pytest.mark.parametrize(
    ("given_words", "parted"),
    [
        (["mute"], (["mute"], "", False)),
        (["--socket", "x", "mute"], (["mute"], "x", False)),
        (["mute", "--socket=x=y"], (["mute"], "x=y", False)),
        (["stats", "--json"], (["stats"], "", True)),
        (["volume", "Ben", "-6"], (["volume", "Ben", "-6"], "", False)),
        (["volume", "--", "--Ben", "-6"], (["volume", "--Ben", "-6"], "", False)),
        (["say", "--json", "--help"], (["say", "--json", "--help"], "", False)),
    ],
)
def test_options_stand_anywhere_but_in_what_is_said(
    given_words: list[str], parted: tuple[list[str], str, bool]
) -> None:
    assert ctl._parted(given_words) == parted


@given(ARGUMENTS)
def test_any_arguments_are_a_word_with_what_it_needs_or_a_usage_error(arguments: list[str]) -> None:
    try:
        word, rest = ctl._understood(ctl._parted(list(arguments))[0])
    except ctl.Failed as failed:
        assert failed.code == ctl.USAGE  # noqa: PT017  a word may come, too
        return
    assert len(rest) == len(ctl.WORDS[word][0].split())


def test_what_is_said_is_one_text() -> None:
    assert ctl._understood(["say", "back", "in five"]) == ("say", ["back in five"])
