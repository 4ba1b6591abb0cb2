"""Completion in shells, made of a program's table: bash, zsh and fish.

`script` gives what a shell has to read. Nothing of the program is asked while somebody types.
"""

import re
import shlex
from collections.abc import Callable
from typing import Final

from voicechat.options.option import FILES, FOLDERS, Option, Options, Program

ALWAYS: Final = (
    Option("help", "show the options, and end", bool, kept=False),
    Option("version", "show the version, and end", bool, kept=False),
)
"""What each program takes besides."""


def script(program: Program, shell: str) -> str:
    """What ``shell`` reads to complete the program's options, their values, and its commands."""
    return _SHELLS[shell](program)


def names(options: Options) -> list[str]:
    """All that may be typed for options, with their dashes."""
    found = []
    for option in (*options, *ALWAYS):
        found += [f"--{option.name}"] + ([f"--no-{option.name}"] if option.negatable else [])
    return found


def _function(program: Program) -> str:
    return "_" + program.name.replace("-", "_")


# -- bash -------------------------------------------------------------------------------

_BASH: Final = """\
# bash completion for {name}; made by: {name} --completion bash
{function}() {{
    local IFS=$' \\t\\n' word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} first=${{COMP_WORDS[1]}}
    # a word of its own for bash, between an option and its value
    if [[ $word == = ]]; then word=
    elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    COMPREPLY=()
    case $before in
{values}
    esac
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '{first}' -- "$word"))
        return
    fi
    case $first in
{rest}
    esac
}}
complete -F {function} {name}
"""


def _bash(program: Program) -> str:
    every = {option.name: option for options in _all_options(program) for option in options}
    values = [f"        {_bash_value(option)}" for option in every.values() if option.kind is not bool]
    rest = [
        f"        {word}) COMPREPLY=($(compgen -W '{' '.join(names(command.options))}' -- \"$word\")) ;;"
        for word, command in program.commands.items()
    ]
    own = " ".join(names(program.options))
    rest.append(f"        *) COMPREPLY=($(compgen -W '{own}' -- \"$word\")) ;;")
    return _BASH.format(
        name=program.name,
        function=_function(program),
        values="\n".join(values),
        first=" ".join([*program.commands, own]),
        rest="\n".join(rest),
    )


def _bash_value(option: Option) -> str:
    typed = f"--{option.name}" + (f"|-{option.short}" if option.short else "")
    if option.choices:
        return f"{typed}) COMPREPLY=($(compgen -W '{' '.join(option.choices)}' -- \"$word\")); return ;;"
    if option.metavar in FILES + FOLDERS:  # readline's own way knows of blanks and quotes in names
        kind = "default" if option.metavar in FILES else "dirnames"
        return f"{typed}) compopt -o {kind} 2>/dev/null; return ;;"
    return f"{typed}) return ;;"


def _all_options(program: Program) -> list[Options]:
    return [program.options, *(command.options for command in program.commands.values())]


# -- zsh --------------------------------------------------------------------------------

_ZSH: Final = """\
#compdef {name}
# zsh completion for {name}; made by: {name} --completion zsh
{function}() {{
    case ${{words[2]}} in
{commands}
    esac
    _arguments {options} {first}
}}
if [[ ${{funcstack[1]}} == _{name} ]]; then {function} "$@"; else compdef {function} {name}; fi
"""


def _zsh(program: Program) -> str:
    lines = [
        f"        {word}) (( CURRENT > 2 )) && {{ shift words; (( CURRENT-- )); "
        f"_arguments {_zsh_options(command.options)}; return; }} ;;"
        for word, command in program.commands.items()
    ]
    words = " ".join(f"{word}\\:{_zsh_text(command.help)}" for word, command in program.commands.items())
    first = shlex.quote(f"1::command:(({words}))") if program.commands else ""
    return _ZSH.format(
        name=program.name,
        function=_function(program),
        commands="\n".join(lines) or "        *) ;;",
        options=_zsh_options(program.options),
        first=first,
    )


def _zsh_text(text: str) -> str:
    """Within a description, in which these are signs of their own."""
    return re.sub(r"([\\:\[\]()'\" ])", r"\\\1", text)


def _zsh_options(options: Options) -> str:
    specs = []
    for option in (*options, *ALWAYS):
        told = option.help.replace("[", "(").replace("]", ")").replace(":", " ")
        repeated = "*" if option.many else ""
        if option.kind is bool:
            specs += [f"--{option.name}[{told}]"] + ([f"--no-{option.name}[{told} (off)]"] if option.negatable else [])
            continue
        means = f"({' '.join(option.choices)})" if option.choices else " "
        means = "_files" if option.metavar in FILES else "_files -/" if option.metavar in FOLDERS else means
        value = f"[{told}]:{option.value.lower()}:{means}".replace("{", "").replace("}", "")
        specs += [f"{repeated}--{option.name}={value}"] + ([f"{repeated}-{option.short}{value}"] * bool(option.short))
    return " ".join(shlex.quote(spec) for spec in specs)


# -- fish -------------------------------------------------------------------------------


def _fish(program: Program) -> str:
    lines = [
        f"# fish completion for {program.name}; made by: {program.name} --completion fish",
        f"complete -c {program.name} -f",
    ]
    lines += [
        f"complete -c {program.name} -n __fish_use_subcommand -a {word} -d {_fish_text(command.help)}"
        for word, command in program.commands.items()
    ]
    own = [word for word, command in program.commands.items() if command.options != program.options]
    where = f"-n 'not __fish_seen_subcommand_from {' '.join(own)}' " if own else ""
    lines += _fish_options(program, where, program.options)
    for word in own:
        where = f"-n '__fish_seen_subcommand_from {word}' "
        lines += _fish_options(program, where, program.commands[word].options)
    return "\n".join(lines) + "\n"


def _fish_options(program: Program, where: str, options: Options) -> list[str]:
    lines = []
    for option in (*options, *ALWAYS):
        short = f" -s {option.short}" if option.short else ""
        value = "" if option.kind is bool else " -x"
        if option.choices:
            value += f" -a {_fish_text(' '.join(option.choices))}"
        elif option.metavar in FILES:
            value = " -r -F"
        elif option.metavar in FOLDERS:
            value += " -a '(__fish_complete_directories)'"
        lines += [
            f"complete -c {program.name} {where}-l {name}{short}{value} -d {_fish_text(option.help)}"
            for name in [option.name] + [f"no-{option.name}"] * option.negatable
        ]
    return lines


def _fish_text(text: str) -> str:
    """In single quotes, in which fish knows two escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SHELLS: Final[dict[str, Callable[[Program], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
