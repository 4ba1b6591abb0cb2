"""``voicechat-ctl``: tell a running client what to do, from a key, a script or another window.

It is bound to keys, so it imports next to nothing: no Twisted, no numpy, no argparse
(10 ms of 35). One line of JSON goes to the client's socket, one comes back.
"""

import json
import os
import sys
from collections.abc import Sequence

from voicechat import __version__, standard
from voicechat.client.remote import meeting
from voicechat.client.remote.lines import line_of
from voicechat.client.remote.words import LONGEST_LINE, WORDS, understood
from voicechat.errors import ConfigError, DeviceError

OK, CANNOT, USAGE, NOBODY, NOT_WRITTEN, NO_ANSWER, NOT_UNDERSTOOD, NOT_OURS, SEVERAL = 0, 1, 2, 69, 74, 75, 76, 77, 78

HELP = """usage: voicechat-ctl [--socket PATH] [--json] COMMAND ...

Tell the voicechat-client that runs on this machine what to do.

commands:
{words}

options:
  --socket PATH       which client, if several run
  --json              stats: everything, as JSON
  --completion SHELL  print what bash, zsh or fish needs to complete words
  --help, --version

examples:
  voicechat-ctl mute-toggle
  voicechat-ctl volume Ben -6
  voicechat-ctl say "back in five minutes"

exit codes: 0 done, 1 the client cannot do that, 2 usage, 69 no client runs, 74 no room for what it said, 75 it does
not answer, 76 it answers something else, 77 the socket is somebody else's, 78 several clients run and none was named
"""

PATIENCE = 3.0
"""Seconds for it all: a client answers within one turn of its reactor."""

LONGEST_ANSWER = 1 << 20
"""Bytes; the figures of a full room are 20 thousand."""


class Failed(Exception):
    """What ends the program, and how."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def main(argv: Sequence[str] | None = None) -> int:
    """Say one thing; the exit code."""
    standard.open_closed()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except Failed as failed:
        standard.warn(f"voicechat-ctl: {failed}\n")
        return failed.code
    except DeviceError as error:
        standard.warn(f"voicechat-ctl: {error}\n")
        return NOT_WRITTEN
    except KeyboardInterrupt:
        return 130


def _run(argv: list[str]) -> int:
    words, where, as_json = _parted(argv)
    word, rest = _understood(words)
    for text in rest:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Failed(USAGE, "what follows the word is not UTF-8 text") from None
    if as_json and word != "stats":
        raise Failed(USAGE, "--json is for stats")
    request = {"word": word, "rest": rest, **_told()}
    answer = ask(os.path.expanduser(where) or _only_one(), request)
    if as_json:
        return _write(json.dumps(answer.get("figures"), indent=1, ensure_ascii=False) + "\n")
    lines = answer.get("lines")
    _write("".join(f"{line}\n" for line in lines) if isinstance(lines, list) else "")
    if word == "devices":
        from voicechat.client.audio.portaudio import list_devices

        return _write(list_devices() + "\n")
    return OK


def _parted(argv: list[str]) -> tuple[list[str], str, bool]:
    """Words, --socket and --json. Options stand anywhere, but not in what is said."""
    words: list[str] = []
    where, as_json = "", False
    while argv:
        argument = argv.pop(0)
        name, equals, value = argument.partition("=")
        if argument == "--":
            return words + argv, where, as_json
        if words[:1] != ["say"] and argument in ("-h", "--help"):
            lines = (f"  {' '.join((word, *rest.split())):<16}{told}" for word, (rest, told) in WORDS.items())
            raise SystemExit(_write(HELP.format(words="\n".join(lines))))
        if words[:1] == ["say"] or not argument.startswith("--"):
            words.append(argument)
        elif argument == "--version":
            raise SystemExit(_write(f"voicechat {__version__}\n"))
        elif argument == "--json":
            as_json = True
        elif name in ("--socket", "--completion") and (value or (not equals and argv)):
            value = value or argv.pop(0)
            if name == "--completion":
                raise SystemExit(_completion(value))
            where = value
        else:
            raise Failed(USAGE, f"{argument}: there is no such option, or its value is missing; see --help")
    return words, where, as_json


def _told() -> dict[str, bool]:
    """Somebody looks on, and wants to be told what was done. A key's command has no terminal."""
    return {"told": True} if standard.is_terminal("stdout") else {}


def _understood(words: list[str]) -> tuple[str, list[str]]:
    """The word, and what belongs to it."""
    if not words:
        raise Failed(USAGE, f"usage: voicechat-ctl COMMAND; commands: {', '.join(WORDS)}")
    try:
        return understood(words[0], words[1:])
    except ValueError as error:
        raise Failed(USAGE, f"{error}; see --help") from None


def _only_one() -> str:
    """The socket of the only client."""
    try:
        found = meeting.find(os.environ)
    except ConfigError as error:
        raise Failed(NOT_OURS, str(error)) from None
    if not found:
        raise Failed(NOBODY, "no voicechat-client of yours runs on this machine")
    if len(found) > 1:
        raise Failed(SEVERAL, f"several clients run; name one with --socket: {' '.join(found)}")
    return found[0]


def ask(path: str, request: dict[str, object]) -> dict[str, object]:
    """What the client at ``path`` answers. Failed says why there is no answer, or what the client says it cannot."""
    line = b""
    asked = json.dumps(request).encode() + b"\n"
    if len(asked) > LONGEST_LINE:
        raise Failed(CANNOT, "that is too long; a text has at most 500 characters")
    try:
        with meeting.ask(path, asked, PATIENCE) as connection:
            line = line_of(connection, LONGEST_ANSWER, PATIENCE)
    except (TimeoutError, BlockingIOError):
        raise Failed(NO_ANSWER, "the client does not answer; is it stopped?") from None
    except PermissionError:
        raise Failed(NOT_OURS, f"{path} is another user's") from None
    except (ConnectionRefusedError, FileNotFoundError):
        raise Failed(NOBODY, f"no client listens on {path}") from None
    except (ConnectionResetError, BrokenPipeError):
        pass  # it did not even read
    except OSError as error:
        raise Failed(NOBODY, f"{path}: {error.strerror or error}") from None
    return _read(line)


def _read(line: bytes) -> dict[str, object]:
    if not line:
        raise Failed(NO_ANSWER, "the client has too much to do; try again")
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Failed(NOT_UNDERSTOOD, "what answers there is no voicechat-client")
    if "error" in answer:
        raise Failed(CANNOT, str(answer["error"]))
    return answer


def _completion(shell: str) -> int:
    from voicechat.client.remote.program import CTL
    from voicechat.options.completion import script
    from voicechat.options.option import COMPLETION

    if shell not in COMPLETION.choices:
        raise Failed(USAGE, f"--completion: {COMPLETION.needed} is needed")
    return _write(script(CTL, shell))


def _write(text: str) -> int:
    standard.write(text)
    return OK


if __name__ == "__main__":
    sys.exit(main())
