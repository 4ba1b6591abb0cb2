"""``voicechat-client``: options, and the client run with them.

Imports little until the options are understood, so that --help is there at once.
Options come from the command line, else from ``VOICECHAT_*``, else the defaults.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicechat.client.exits import Exit

DESCRIPTION = "Talk with your friends through a voicechat server."

LOWEST_GATE = -90.0
"""dBFS: the last bit of 16; below it nothing is ever shut."""

EXAMPLES = """examples:
  voicechat-client --host play.example.org --password-file secret.txt --name Ann
  voicechat-client --list-devices
  voicechat-client --host 192.0.2.7 --password SECRET --input 3 --output "USB Headset"
  voicechat-client --host localhost --password SECRET --input wav:hello.wav --output wav:heard.wav --duration 10

exit codes: 0 ok, 2 usage, 69 server not reached, 74 no such device, 75 full or try later,
76 another version, 77 password refused, 78 bad configuration, 130 Ctrl-C
"""


def parser() -> argparse.ArgumentParser:
    """All options."""
    it = argparse.ArgumentParser(
        "voicechat-client",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = it.add_argument
    add("--host", help="name or address of the server")
    add("--port", type=_port, help="port of the server (default 1234)")
    add("--password", help="the password (better: --password-file; wiped from the process list)")
    add("--password-file", metavar="FILE", help="a file with the password; - is standard input")
    add("--name", help="what your friends call you (default: your user name)")
    add("--room", help="the room to enter (default: the one that everybody enters)")
    add("--input", metavar="DEVICE", help="microphone: default, a name or number, wav:PATH, tone:HZ, silence")
    add("--output", metavar="DEVICE", help="loudspeaker: default, a name or number, wav:PATH, null")
    add("--list-devices", action="store_true", help="show the sound devices and end")
    add("--duration", type=_seconds, metavar="S", help="leave S seconds after entering")
    add("--stats", metavar="PATH", help="write figures as JSON at the end")
    add("--ui", choices=["line"], help="line: one line for each thing that happens (default)")
    add("--path", choices=["auto", "tcp"], help="auto: sound over UDP where it works (default); tcp: never UDP")
    add("--complexity", type=_complexity, help="Opus effort 0-10 (default 8; 5 spares a weak machine half the CPU)")
    add("--gate", type=_gate, metavar="DB|auto", help="level in dBFS that opens the microphone (default auto: learnt)")
    return it


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"a number of seconds is needed, not {text!r}")
    return value


def _complexity(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 10:
        raise argparse.ArgumentTypeError(f"a number from 0 to 10 is needed, not {text!r}")
    return int(text)


def _gate(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        level = float(text)
    except ValueError:
        level = 1.0
    if not LOWEST_GATE <= level <= 0:
        raise argparse.ArgumentTypeError(f"'auto' or a level from {LOWEST_GATE:.0f} to 0 dBFS is needed, not {text!r}")
    return level


DEFAULTS: dict[str, Any] = {
    "port": 1234,
    "room": "",
    "input": "default",
    "output": "default",
    "ui": "line",
    "path": "auto",
    "complexity": 8,
    "gate": "auto",
}

_FROM_ENVIRONMENT = ("host", "port", "name", "room", "input", "output", "ui", "path", "complexity", "gate")


def options(argv: Sequence[str]) -> argparse.Namespace:
    """Understand the command line and the environment; ends the program with status 2 on a mistake."""
    it = parser()
    chosen = it.parse_args(argv)
    for name in _FROM_ENVIRONMENT:
        if getattr(chosen, name) is None:
            text = os.environ.get("VOICECHAT_" + name.upper())
            if text:
                vars(chosen)[name] = vars(it.parse_args([f"--{name}={text}"]))[name]
    for name, value in DEFAULTS.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    if not chosen.host and not chosen.list_devices:
        it.error("--host is needed: the name or address of the server")
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Run the client; the exit code."""
    chosen = options(sys.argv[1:] if argv is None else argv)
    from voicechat.errors import DeviceError, VoiceChatError

    try:
        if chosen.list_devices:
            from voicechat.client.devices import list_devices

            print(list_devices())
            return Exit.OK
        from voicechat.client.run import run

        return run(chosen, _password(chosen))
    except DeviceError as error:
        return _fail(Exit.NO_DEVICE, error)
    except VoiceChatError as error:
        return _fail(Exit.CONFIG, error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _password(chosen: argparse.Namespace) -> Any:
    """The password from wherever it is given; asked for on a terminal."""
    from voicechat import passwords
    from voicechat.errors import ConfigError
    from voicechat.security.secret import Secret

    secret = passwords.find(chosen.password, chosen.password_file, os.environ)
    chosen.password = None
    if secret is not None:
        return secret
    if not sys.stdin.isatty():
        raise ConfigError("no password: give --password-file FILE, --password SECRET or $VOICECHAT_PASSWORD")
    import getpass

    try:
        return Secret(getpass.getpass("Password: "))
    except EOFError:
        raise ConfigError("no password was typed") from None


def _fail(code: Exit, error: Exception) -> int:
    print(f"voicechat-client: {error}", file=sys.stderr, flush=True)
    return code


def user_name() -> str:
    """The login name, or 'friend'."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "friend"


def write_stats(path: str, figures: dict[str, Any]) -> None:
    """Write the figures as JSON; ConfigError if the file cannot be written."""
    import json

    from voicechat.errors import ConfigError

    try:
        Path(path).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
