"""One table of options, and what is made of it: argparse's command line, twistd's, the environment."""

import contextlib
import io
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.options import OPTIONS as CLIENT
from voicechat.errors import ConfigError
from voicechat.options.commandline import Parser
from voicechat.options.option import COMPLETION, Option, Options, Refused, grouped, unknown
from voicechat.server.options import OPTIONS as SERVER
from voicechat.server.usage import TableOptions

TABLE: Options = (
    Option("name", "a text"),
    Option("port", "a number", int, 1234, between=(1, 65535), short="p"),
    Option("gate", "a number, or a word", float, "auto", choices=("auto",), between=(-90, 0)),
    Option("mixing", "a word", choices=("auto", "always"), default="auto"),
    Option("loud", "yes or no", bool, True),
    Option("once", "yes", bool, kept=False),
    Option("listen", "several", many=True),
)


class OfTwistd(TableOptions):
    table = TABLE
    command = "twistd thing"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in TABLE:
        monkeypatch.delenv(option.variable, raising=False)


def by_argparse(arguments: list[str]) -> dict[str, Any] | None:
    """What argparse makes of a command line; None if it refuses."""
    parser = Parser("thing", TABLE, "")
    parser.add_options()
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            chosen = vars(parser.parse_args(arguments))
        except SystemExit as end:
            assert end.code == 2  # noqa: PT017
            assert told.getvalue().count("\n") == 1
            return None
    return {name: value for name, value in chosen.items() if value is not None}


def by_twistd(arguments: list[str]) -> dict[str, Any] | None:
    """The same of twistd's."""
    options = OfTwistd()
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            options.parseOptions(arguments)
            chosen = {option.field: options.chosen(option.name) for option in TABLE}
        except SystemExit as end:
            assert end.code == 2  # noqa: PT017
            assert told.getvalue().count("\n") == 1
            return None
    return {name: value for name, (giver, value) in chosen.items() if giver}


VALUES = {
    "name": ["Ann", "", "a b"],
    "port": ["1", "65535", "0", "x", "1e3", "9" * 5000],
    "gate": ["auto", "-45", "-90.5", "nan"],
    "mixing": ["auto", "never"],
    "listen": ["tcp:1", "tcp:2"],
}
ARGUMENT = st.sampled_from(
    [[f"--{name}={value}"] for name, values in VALUES.items() for value in values]
    + [[f"--{name}", value] for name, values in VALUES.items() for value in values if value[:1] != "-"]
    + [["-p", "7"], ["--loud"], ["--no-loud"], ["--once"], ["--lout"], ["--once=1"], ["--port"], ["--no-once"]]
)


@given(st.lists(ARGUMENT, max_size=4))
def test_both_command_lines_understand_the_same(arguments: list[list[str]]) -> None:
    words = [word for argument in arguments for word in argument]
    assert by_argparse(words) == by_twistd(words)


def test_the_environment_is_understood_as_the_command_line_is(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"NAME": "Ann", "PORT": "7\r", "GATE": "-45", "LOUD": "off", "ONCE": "yes", "LISTEN": "tcp:1  tcp:2"}
    for name, value in values.items():
        monkeypatch.setenv(f"VOICECHAT_{name}", value)
    chosen = {option.field: option.from_environment(os.environ) for option in TABLE}
    assert chosen == {
        "name": "Ann",
        "port": 7,
        "gate": -45.0,
        "mixing": None,
        "loud": False,
        "once": None,
        "listen": ["tcp:1", "tcp:2"],
    }


@pytest.mark.parametrize("option", [*CLIENT, *SERVER, *TABLE], ids=lambda option: option.name)
@given(text=st.text(max_size=12) | st.sampled_from(["auto", "yes", "OFF", "-3", "1e400", "0x10", "\u0663", "x" * 999]))
def test_any_text_is_understood_or_refused_in_a_short_line(option: Option, text: str) -> None:
    try:
        value = option.understand(text)
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 300  # noqa: PT017
        return
    assert isinstance(value, option.kind) or value in option.choices
    if option.kind in (int, float) and value not in option.choices:
        assert option.between[0] <= value <= option.between[1]


@pytest.mark.parametrize("option", [*CLIENT, *SERVER], ids=lambda option: option.name)
def test_a_default_is_a_value_that_the_option_may_have(option: Option) -> None:
    if option.default is not None and option.default != "":
        assert option.understand(str(option.default)) == option.default


def test_what_is_secret_is_not_told() -> None:
    with pytest.raises(Refused) as told:
        Option("password", "", choices=("one", "two"), secret=True).understand("hunter2")
    assert str(told.value) == "one of one, two is needed"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--prot", "there is no option --prot; did you mean --port?"),
        ("--frobnicate", "there is no option --frobnicate; see --help"),
        ("--passwordcorrect-horse-battery-staple", "there is no such option; did you mean --password?"),
        ("--pasword=hunter2", "there is no option --pasword; did you mean --password?"),
    ],
)
def test_a_mistyped_option_is_told_what_it_may_mean_and_no_password(word: str, told: str) -> None:
    assert unknown(word, SERVER) == told
    assert unknown(word, CLIENT) == told


def test_a_group_is_a_heading_of_the_help() -> None:
    parser = Parser("thing", grouped("sound and light", *TABLE[:1], COMPLETION), "What it is.")
    parser.add_options()
    told = parser.format_help()
    places = [told.index(text) for text in ("What it is.", "sound and light:", "--name", "--completion")]
    assert places == sorted(places)
    assert "$VOICECHAT_NAME" in told
    assert "$VOICECHAT_COMPLETION" not in told
