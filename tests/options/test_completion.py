"""Completion, as real shells do it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from testkit.terminal import Terminal
from voicechat.client import cli
from voicechat.client.remote import ctl
from voicechat.client.remote.program import CTL
from voicechat.options.completion import names, script
from voicechat.options.option import COMPLETION, Command, Option, Program
from voicechat.server import command

CLIENT = cli.PROGRAM

TRICKY = Program(
    "thing",
    (Option("odd", 'it\'s a [quoted]: "word" $HOME `id` \\ end', choices=("one", "two"), short="o"), COMPLETION),
    {"make": Command("don't", (Option("new", "a new one: yes", bool), Option("into", "where", metavar="DIR")))},
    {},
)
"""Descriptions with signs that shells know, a letter, a command with options of its own."""

BASH = """
{script}
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
{function}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def shell(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not installed: .ci/prepare sound"
    return path


def by_bash(program: Program, *words: str) -> set[str]:
    function = "_" + program.name.replace("-", "_")
    split = " ".join(f"'{part}'" for part in [program.name, *words])
    text = BASH.format(script=script(program, "bash"), words=split, function=function)
    done = subprocess.run([shell("bash"), "--norc", "-c", text], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def by_fish(program: Program, line: str, folder: Path) -> set[str]:
    (folder / "it.fish").write_text(script(program, "fish"))
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", f"source {folder}/it.fish; complete -C '{program.name} {line}'"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )
    assert done.stderr == ""
    return {found.split("\t")[0] for found in done.stdout.splitlines()}


def test_bash_completes_options_values_and_commands() -> None:
    assert by_bash(CLIENT, "--qual") == {"--quality"}
    assert by_bash(CLIENT, "--quality", "") == {"saver", "normal", "high"}
    assert by_bash(CLIENT, "--quality", "=", "s") == {"saver"}
    assert by_bash(CLIENT, "--quality", "=") == {"saver", "normal", "high"}
    assert by_bash(CLIENT, "do") == {"doctor"}
    assert by_bash(CLIENT, "--") == set(names(CLIENT.options))
    assert by_bash(CTL, "mute") == {"mute", "mute-toggle"}
    assert by_bash(CLIENT, "--name", "") == set(), "nobody knows a name"
    assert by_bash(TRICKY, "make", "--") == {"--new", "--no-new", "--into", "--help", "--version"}
    assert by_bash(TRICKY, "-o", "t") == {"two"}
    assert "--qr" in by_bash(command.PROGRAM, "invite", "--")
    assert by_bash(command.PROGRAM, "--qr") == set()


def test_fish_completes_options_values_and_commands(tmp_path: Path) -> None:
    assert by_fish(CLIENT, "--qual", tmp_path) == {"--quality"}
    assert by_fish(CLIENT, "--quality ", tmp_path) == {"saver", "normal", "high"}
    assert by_fish(CLIENT, "--quality=s", tmp_path) == {"--quality=saver"}
    assert by_fish(CLIENT, "do", tmp_path) == {"doctor"}
    assert by_fish(CLIENT, "--", tmp_path) == set(names(CLIENT.options))
    assert by_fish(CTL, "mute", tmp_path) == {"mute", "mute-toggle"}
    assert by_fish(TRICKY, "make --", tmp_path) == {"--new", "--no-new", "--into", "--help", "--version"}
    assert by_fish(TRICKY, "-o t", tmp_path) == {"two"}
    (tmp_path / "secret.txt").touch()
    assert "secret.txt" in by_fish(CLIENT, "--password-file ", tmp_path)
    assert "secret.txt" not in by_fish(CLIENT, "--name ", tmp_path)


@pytest.mark.parametrize("program", [CLIENT, CTL, command.PROGRAM, TRICKY], ids=lambda program: program.name)
@pytest.mark.parametrize("name", COMPLETION.choices)
def test_the_script_is_one_that_the_shell_reads(name: str, program: Program, tmp_path: Path) -> None:
    (tmp_path / "it").write_text(script(program, name))
    done = subprocess.run([shell(name), "-n", str(tmp_path / "it")], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("main", "program", "words"),
    [
        (cli.main, CLIENT, ["--completion", "fish"]),
        (ctl.main, CTL, ["--completion", "fish"]),
        (ctl.main, CTL, ["--completion=fish"]),
    ],
)
def test_the_programs_print_it(
    main: object,
    program: Program,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "begin_lean", lambda: None)
    assert callable(main)
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code
    assert code == 0
    assert capsys.readouterr().out == script(program, "fish")


def by_zsh(program: Program, folder: Path) -> Terminal:
    """A shell on a terminal that has read the script; its completion starts at the tab key."""
    (folder / f"_{program.name}").write_text(script(program, "zsh"))
    setup = f"PS1='> '; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d {folder}/dump; echo is ready\n"
    terminal = Terminal(["zsh", "-f"], 100, 40, folder=folder, variables={"HOME": str(folder)})
    terminal.type(setup)
    terminal.until("\nis ready")
    return terminal


def test_zsh_completes_options_values_and_commands(tmp_path: Path) -> None:
    terminal = by_zsh(CLIENT, tmp_path)
    try:
        terminal.type("voicechat-client --qual\t")
        terminal.until("voicechat-client --quality=")
        terminal.type("sa\t")
        terminal.until("voicechat-client --quality=saver")
        terminal.type("\x15voicechat-client docto\t--hos\t")
        terminal.until("voicechat-client doctor --host=")
        terminal.type("\x15voicechat-client --l\t\t")
        terminal.until("--list-devices", "bring your voice to the level that all have")
    finally:
        terminal.close()


def test_zsh_knows_the_options_of_a_command(tmp_path: Path) -> None:
    terminal = by_zsh(TRICKY, tmp_path)
    try:
        terminal.type("thing ma\t--ne\t")
        terminal.until("thing make --new")
        terminal.type("\x15thing -o t\t")
        terminal.until("thing -o two")
        terminal.type("\x15thing --o\tt\t")
        terminal.until("thing --odd=two")
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        terminal.type("\x15thing make --into=f\t")
        terminal.until("thing make --into=folder/")
    finally:
        terminal.close()
