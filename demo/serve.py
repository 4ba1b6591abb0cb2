"""``python -m demo.serve``: a server for one evening, and what each friend must type.

What lives here: ``voicechat-server`` started as a host starts it, and its invitation once it listens. May import the
demo's children, what knows of the terminal and of standard streams, and the standard library.

The port is ``$PORT``, else the server's own; ``$NEW`` asks for a new password, which the server else keeps from one
evening to the next. Ends at Ctrl-C, SIGTERM or when its window is closed with status 0, else with the server's.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from testkit.processes import OPEN_SECONDS, Child, command, ends_as_interrupt, follow, stop
from voicechat import standard
from voicechat.errors import ConfigError, DeviceError
from voicechat.server import state
from voicechat.server.router import choice
from voicechat.server.terminal import LOOK_EACH, Terminal

NO: Final = ("", "0", "no")
"""What ``$NEW`` may be when the password is to stay."""

LISTENS: Final = "listening on port "
"""What the server says when friends can come."""

IN_USE: Final = "already in use"
"""What it says when the port is taken."""

ASKS: Final = "asking the router"
ANSWERS: Final = re.compile(r"(the|no) router (?!to open)")
"""What it says when it asks the router for the port, and what is in the line that says how that ended."""

ROUTER_SECONDS: Final = 12.0
"""Longest wait for it; a router that answers in no way is given up after some seven."""

USUAL_PORT: Final = 1234

HOW_TO_INVITE: Final = "print the link for your friends with"


def main() -> int:
    """Serve until stopped; gives the exit status."""
    standard.open_closed()
    with ends_as_interrupt():
        try:
            return run()
        except KeyboardInterrupt:  # before there was anything to stop
            return 0


def run() -> int:
    """Serve until the server ends, or an interrupt; no process is left behind."""
    children: list[Child] = []
    with tempfile.TemporaryDirectory(prefix="voicechat-serve-") as folder:
        try:
            return _serve(Path(folder), children)
        except KeyboardInterrupt:
            stop(children)
            failure = children[0].failure() if children else None
            _say("\nserve: stopped" if failure is None else f"\nserve: {failure}")
            return 0 if failure is None else 1
        except FileNotFoundError as error:
            standard.warn(f"serve: {error}\n")
            return 1
        finally:
            stop(children)


def _serve(folder: Path, children: list[Child]) -> int:
    program = command("voicechat-server")
    if os.environ.get("NEW", "") not in NO:
        made = subprocess.run([program, "new-password", "--keep"], check=False)
        if made.returncode:
            return made.returncode
    port = ["--port", os.environ["PORT"]] if os.environ.get("PORT") else []
    _ask_about_router()
    server = Child("server", [program, *port], folder / "server.log", _pass_on, dict(os.environ))
    children.append(server)
    if not follow([server], OPEN_SECONDS, lambda: LISTENS in server.written() or server.end is not None):
        standard.warn(f"serve: the server does not listen: {server.tail()}\n")
        return 1
    if ASKS in server.written():
        follow([server], ROUTER_SECONDS, lambda: ANSWERS.search(server.written()) is not None or server.end is not None)
    if server.end is None:
        _invite([program, "invite", *port])
    elif IN_USE in server.written():
        standard.warn("serve: another port is taken with make serve PORT=4000\n")
    terminal = Terminal()
    while not follow([server], LOOK_EACH, lambda: server.end is not None):
        if terminal.taken_from_us and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            raise KeyboardInterrupt
    return server.end.status if server.end is not None and server.end.status > 0 else 1


def _ask_about_router() -> None:
    """Once, since the server has no terminal here; it finds the answer in its folder."""
    if not os.environ.get("VOICECHAT_MAP_PORT"):
        with contextlib.suppress(ConfigError):  # no folder: the server tells
            folder = os.environ.get("VOICECHAT_STATE")
            here = state.located(folder) if folder else state.usual(os.environ)
            choice.asked(here, int(os.environ.get("PORT") or USUAL_PORT))


def _invite(words: list[str]) -> None:
    asked = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    _say(f"\n{asked.stdout}")
    _say("Ctrl-C ends the server. The password stays for the next time; make serve NEW=1 makes another.\n")


def _pass_on(line: str) -> None:
    """What the server says, but how to get what is shown here anyway."""
    if HOW_TO_INVITE not in line:
        _say(line)


def _say(line: str) -> None:
    """Show a line; where nobody looks any more, the server goes on."""
    with contextlib.suppress(DeviceError):
        standard.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
