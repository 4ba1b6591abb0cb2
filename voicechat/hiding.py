"""Passwords out of sight: overwritten where other users of the machine could read them.

``ps`` and ``/proc`` show the argument list and the environment that a process began with. On
Linux both lie in the process' own memory, and what is overwritten there is seen by nobody.
Only the password's own bytes are, found by what stands before them and never by what they
are: C libraries read the environment there too, and a password may well be a part of ``HOME``.

Imports next to nothing, so that the programs can call it before they load what they need.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

Span = tuple[int, int]
"""Where a password begins and ends in a block, in bytes."""

OPTION: Final = b"--password"
"""The server's and the client's option; its value is the rest of it, behind a =, or the next argument."""

VARIABLE: Final = b"VOICECHAT_PASSWORD="

_ARGUMENTS_AND_ENVIRONMENT: Final = slice(45, 49)
"""arg_start, arg_end, env_start and env_end: fields 48 to 51 of proc(5), counted after the command's name."""


def hide() -> None:
    """Overwrite each password of this process' argument list and environment, where Linux lets others read them."""
    with suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
        arg_start, arg_end, env_start, env_end = (int(field) for field in fields[_ARGUMENTS_AND_ENVIRONMENT])
        import ctypes

        for start, end, find in ((arg_start, arg_end, in_arguments), (env_start, env_end, in_environment)):
            if 0 < start < end:
                for first, last in find(ctypes.string_at(start, end - start)):
                    ctypes.memset(start + first, ord("x"), last - first)


def in_arguments(block: bytes) -> list[Span]:
    """Where passwords stand in an argument list: each argument ends with a zero byte.

    An option's value that looks like the option itself is taken for it: what is then overwritten
    too many was an argument that Python has copied long ago.
    """
    spans, is_value = [], False
    for first, argument in _strings(block):
        last = first + len(argument)
        if is_value:
            spans.append((first, last))
        elif argument.startswith(OPTION + b"="):
            spans.append((first + len(OPTION) + 1, last))
        elif b"://" in argument and b"#" in argument:  # an invitation
            spans.append((first + argument.index(b"#") + 1, last))
        is_value = not is_value and argument == OPTION
    return spans


def in_environment(block: bytes) -> list[Span]:
    """The same for an environment: each variable ends with a zero byte."""
    return [
        (first + len(VARIABLE), first + len(variable))
        for first, variable in _strings(block)
        if variable.startswith(VARIABLE)
    ]


def _strings(block: bytes) -> list[tuple[int, bytes]]:
    """The strings of a block, and where each begins."""
    found, first = [], 0
    for string in block.split(b"\0"):
        found.append((first, string))
        first += len(string) + 1
    return found
