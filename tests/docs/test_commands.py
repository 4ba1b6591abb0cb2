"""Every command, option, variable, exit code and line of text that the documentation names exists, and the reverse."""

import ast
import configparser
import getopt
import io
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.python import usage
from twisted.scripts._twistd_unix import ServerOptions

from docs import draw_options
from tests.docs.pages import PAGES, ROOT, blocks, named, prose, spans, table, tables
from voicechat.client import cli, configuration, exits
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.synthetic import Null, Silence
from voicechat.client.call.call import Call
from voicechat.client.call.controls import Controls
from voicechat.client.call.friends import Friends
from voicechat.client.call.volumes import Volumes
from voicechat.client.options import KEPT
from voicechat.client.remote import ctl, program
from voicechat.client.remote.words import WORDS
from voicechat.client.ui import view
from voicechat.client.ui.line import Console
from voicechat.client.ui.screen import Screen
from voicechat.media.gate import TalkGate
from voicechat.options.option import Option
from voicechat.server import options as server_options
from voicechat.server.command import InviteOptions, NewPasswordOptions, Serve
from voicechat.server.options import OPTIONS
from voicechat.server.tap import Options
from voicechat.testing import MemoryCodec
from voicechat.wire import messages

BENCHS = ("performance.md", "tuning.md")
TEXTS = {
    os.path.relpath(page, ROOT / "docs"): page.read_text(encoding="utf-8") for page in PAGES if page.name not in BENCHS
}
"""The pages about our two programs; those about measurements have programs of their own."""
CLIENT_PAGE, OPERATING, REFERENCE = TEXTS["client.md"], TEXTS["operating.md"], TEXTS["reference.md"]
UNIT = ROOT / "docs" / "voicechat.service"


def commands() -> Iterator[tuple[str, list[str]]]:
    """All command lines of the pages as words, with the page's name; without remarks and redirections."""
    for name, text in TEXTS.items():
        lines = [re.split(" [#>] ", line)[0] for block in blocks(text) if not block.info for line in block.lines]
        for line in [*lines, *spans(prose(text))]:
            words = shlex.split(line) if line.count("'") % 2 == 0 else []
            program = next((at for at, word in enumerate(words) if word.rpartition("/")[2] in OURS), None)
            if (
                program is not None
                and (program + 1 < len(words) or words[program].endswith("voicechat-server"))
                and set(words[:program]) <= {"sudo"}
            ):
                yield name, [words[program].rpartition("/")[2], *words[program + 1 :]]


OURS = ("twistd", "voicechat-client", "voicechat-ctl", "voicechat-server")
COMMANDS = [pytest.param(words, id=f"{name}: {shlex.join(words)}") for name, words in commands()]


def understood(options: usage.Options, words: list[str]) -> list[str]:
    """What is left of the words behind the options; getopt.GetoptError if there is one that the program has not."""
    return getopt.getopt(words, options.shortOpt, [*options.longOpt])[1]


def names_of(options: usage.Options) -> set[str]:
    return {"--" + name.rstrip("=").replace("_", "-") for name in options.longOpt}


CLIENT_OPTIONS = {name for name in cli.parser()._option_string_actions if name.startswith("--")}
SERVER_OPTIONS = names_of(Serve())
INVITE_OPTIONS = names_of(InviteOptions()) | names_of(NewPasswordOptions())
CTL_OPTIONS = set(re.findall("--[a-z]+", ctl.HELP))
NAMED = {
    (page, word.partition("=")[0])
    for page, text in TEXTS.items()
    for span in spans(prose(text))
    if span.startswith("--")
    for word in span.split()[:1]
}


@pytest.mark.parametrize("words", COMMANDS)
def test_the_command_is_understood(words: list[str]) -> None:
    program, *rest = words
    if program == "voicechat-client":
        if rest != ["--help"]:
            cli.parser().parse_args(rest[rest[:1] == [cli.DOCTOR] :])
        return
    if program == "voicechat-ctl":
        assert "--help" in rest or ctl._understood(ctl._parted(rest)[0])
        return
    if program == "voicechat-server":
        of = {"invite": InviteOptions, "new-password": NewPasswordOptions}.get(rest[0] if rest else "", Serve)
        assert not understood(of(), rest[of is not Serve :])
        return
    rest = understood(ServerOptions(), rest)
    if rest:
        assert rest[0] == "voicechat"
        assert not understood(Options(), rest[1:])


def test_there_are_commands() -> None:
    assert {words[0] for _, words in commands()} == set(OURS)


@pytest.mark.parametrize(("page", "option"), sorted(NAMED))
def test_the_option_exists(page: str, option: str) -> None:
    assert option in CLIENT_OPTIONS | SERVER_OPTIONS | INVITE_OPTIONS | CTL_OPTIONS | names_of(ServerOptions())


def section(heading: str) -> str:
    """A part of the reference, from its heading to the next of the kind."""
    return REFERENCE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("heading", "options"),
    [("voicechat-server", SERVER_OPTIONS), ("voicechat-client", CLIENT_OPTIONS), ("voicechat-ctl", CTL_OPTIONS)],
)
def test_every_option_stands_in_a_table_of_the_reference(heading: str, options: set[str]) -> None:
    rows = [row for rows in tables(section(heading)) if rows[0][0] == "option" for row in rows[1:]]
    told = {word for row in rows for span in spans(row[0]) for word in span.split() if word[:2] == "--"}
    assert told == options - {"--help", "--version"}


@pytest.mark.parametrize(
    ("heading", "options"), [("voicechat-server", OPTIONS), ("voicechat-client", cli.PROGRAM.options)]
)
def test_every_variable_stands_in_the_reference(heading: str, options: tuple[Option, ...]) -> None:
    rows = [row for rows in tables(section(heading)) if rows[0][0] == "option" for row in rows[1:]]
    assert {name for row in rows for name in spans(row[2])} == {option.variable for option in options if option.kept}


def test_the_tables_of_the_reference_are_the_codes() -> None:
    """If not: python -m docs.draw_options."""
    drawn = re.findall("<!-- begin (\\w+): (\\w+) -->", REFERENCE)
    assert {("options", program) for program in draw_options.PROGRAMS} <= set(drawn)
    assert {("codes", program) for program in draw_options.PROGRAMS} <= set(drawn)
    assert draw_options.updated(REFERENCE) == REFERENCE
    assert draw_options.updated(REFERENCE.replace("`--port PORT`", "")) == REFERENCE


def test_the_configuration_of_the_client_page_is_understood() -> None:
    chosen = configuration.parse("\n".join(named(CLIENT_PAGE)["toml"].lines).encode())
    assert chosen["input"] == "3"
    assert {option.replace("_", "-") for option in chosen} <= KEPT.keys()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [*TEXTS.values(), (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")]
    named = {name for text in pages for name in re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE)}
    assert {"demo", "test", "serve"} <= named <= targets


def test_exit_codes_are_the_clients() -> None:
    assert list(exits.BECAUSE) == list(exits.Exit)
    assert list(server_options.BECAUSE) == list(server_options.ServerExit)
    told = {int(row[-1]) for row in table(CLIENT_PAGE, "line", "what to do") if row[-1]}
    assert told == {int(code) for code in exits.Exit} - {0, 1, 2, 130}


def test_the_words_and_codes_of_voicechat_ctl_are_told() -> None:
    rows = table(CLIENT_PAGE, "word")
    assert [row[0] for row in rows] == [f"`{word} {rest}`".replace(" `", "`") for word, (rest, _) in WORDS.items()]
    codes = {ctl.OK, ctl.CANNOT, ctl.USAGE, ctl.NOBODY, ctl.NOT_WRITTEN, ctl.NO_ANSWER}
    codes |= {ctl.NOT_UNDERSTOOD, ctl.NOT_OURS, ctl.SEVERAL}
    assert {int(row[0]) for row in table(CLIENT_PAGE, "status")} == codes == set(program.CTL.exits)


# What the programs say


def test_lines_about_friends_are_told_as_they_are_printed() -> None:
    ben, cid = messages.Participant(3, "Ben"), messages.Participant(5, "Cid", away=True)
    friends = Friends()
    printed = [
        friends.welcome(messages.Welcome(4, "Ann", "", 1, [])),
        friends.welcome(messages.Welcome(4, "Ann", "", 1, [ben, cid])),
    ]
    happened = [
        messages.Joined(ben),
        messages.Talk(3, True),
        messages.Talk(3, False),
        messages.State(muted=True, source=3),
        messages.State(source=3),
        messages.State(muted=True, deafened=True, source=3),
        messages.State(source=3),
        messages.Away(3),
        messages.Back(3),
        messages.Left(3),
        messages.Left(3, "did not come back"),
    ]
    for line in printed + [friends.learn(message) for message in happened]:
        assert f"`{line}`" in CLIENT_PAGE


def test_a_text_line_is_told_as_it_is_printed() -> None:
    out = io.StringIO()
    bridge = AudioBridge(lambda turn: None, TalkGate())
    Call(Clock(), MemoryCodec(), bridge, Console(out), lambda: "21:04").chat.add("Ben", "hello")
    assert f"`{out.getvalue().strip()}`" in CLIENT_PAGE


_CHANGES = re.compile(
    r" from 192\.0\.2\.7(?:: )?| was (?:refused|closed): |192\.0\.2\.7|HOST port 1234"
    r"|\bFILE\b|\((?:\.\.\.|the [^)]*)\)|\.\.\.|'\w*'|\b\d+\b| in 255 s|inputs?|Ann|Ben|Cid|UDP|TCP"
)
"""What is put into the lines; the rest of them stands in the code as it is."""


def sayings(*folders: str) -> str:
    """All texts in a part's modules, one a line; what is put into them is left out."""
    texts = []
    for folder in folders:
        for module in (ROOT / "voicechat").glob(folder):
            nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            texts += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n".join(texts)


def quoted(page: str) -> Iterator[str]:
    """The lines in a page's tables of them, but those about friends."""
    for rows in (table(page, "line", head) for head in ("meaning", "what to do", "if") if f"| line | {head}" in page):
        yield from (line for row in rows for line in spans(row[0]) if not line.startswith(("Ben ", "[", "you are in")))


@pytest.mark.parametrize(
    ("page", "folders"),
    [
        (
            CLIENT_PAGE,
            ["client/**/*.py", "passwords.py", "invite.py", "session/*.py", "wire/text.py", "codecs/opus.py"],
        ),
        (OPERATING, ["server/*.py", "wire/handshake.py", "wire/messages.py"]),
    ],
)
def test_lines_that_are_quoted_can_be_said(page: str, folders: list[str]) -> None:
    said = sayings(*folders)
    pieces = [piece.strip() for line in quoted(page) for piece in _CHANGES.split(line)]
    assert len(pieces) > 10
    for piece in pieces:
        assert piece in said


def test_the_keys_of_the_figures_are_the_clients() -> None:
    clock = Clock()
    bridge = AudioBridge(lambda turn: None, TalkGate())
    stats = Call(clock, MemoryCodec(), bridge, Console()).stats(Silence(), Null())
    keys = {
        f"{key}.{inner}" if inner else key
        for key, value in stats.items()
        for inner in (value if isinstance(value, dict) and key != "sources" else [""])
    }
    assert {name for row in table(CLIENT_PAGE, "key") for name in spans(row[0])} == keys


def test_the_keys_of_the_screen_are_told() -> None:
    clock, gate = Clock(), TalkGate()
    call = Call(clock, MemoryCodec(), AudioBridge(lambda turn: None, gate), Console())
    screen = Screen(clock, lambda: None)
    screen.keys.begin(Controls(clock, call, gate, Volumes(), lambda: None))
    told = {key.lower() for row in table(CLIENT_PAGE, "press") for key in row[0].split(", ")}
    assert {"space" if key == " " else key for key in screen.keys.actions()} - {"="} == told
    assert {key for keys, _ in view.KEYS for key in keys.split(", ")} <= told


# The unit


def test_the_container_starts_the_server_as_nobody_with_what_it_understands() -> None:
    text = (ROOT / "docs" / "Containerfile").read_text(encoding="utf-8")
    program, *rest = json.loads(text.rpartition("\nCMD ")[2])
    assert Path(program).name == "voicechat-server"
    assert not understood(Serve(), rest)
    assert f"python3 -m venv {Path(program).parents[1]}" in text
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 65534:65534\n" in final
    assert "VOICECHAT_PASSWORD_FILE=/run/secrets/password" in final
    assert "EXPOSE 1234/tcp 1234/udp" in final
    compile(re.findall(r'"(import .*)"\]', final)[0], "the health check", "exec")


def test_the_unit_starts_the_server_with_what_it_understands() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    program, *rest = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "voicechat-server"
    assert not understood(Serve(), rest)
    assert unit["Service"]["Type"] == "notify"
    assert "AF_UNIX" in unit["Service"]["RestrictAddressFamilies"], "by which it is told"
    assert unit["Service"]["LoadCredential"].startswith("password:")
    assert unit["Service"]["LoadCredential"].partition(":")[2] in OPERATING
    assert str(Path(program).parent) in OPERATING
