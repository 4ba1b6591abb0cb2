"""Whether the router is to be asked: the option says, else what the host said once, else they are asked, once."""

import select
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from voicechat import standard
from voicechat.server import state
from voicechat.server.router import gateway

FILE: Final = "map-port"
"""Of the state folder: what the host said."""

WAIT: Final = 30.0
"""Seconds for an answer: a server that is started in a terminal where nobody sits is to start all the same."""

_LONGEST: Final = 8

_QUESTION: Final = (
    "Friends outside need your router to let them in. Ask it to open port {port} (TCP and UDP) while the server runs? "
    "[y/N] "
)


def remembered(folder: Path) -> bool | None:
    """What the host said; None if they have not."""
    try:
        with (folder / FILE).open("rb") as file:
            return {b"yes": True, b"no": False}.get(file.read(_LONGEST).strip())
    except OSError:
        return None


def asked(folder: Path, port: int) -> bool:
    """What the host says, or has said. Nobody is asked where there is no terminal, or no router between."""
    said = remembered(folder)
    if said is None and _can_ask():
        said = _answer(port)
        if said is not None:
            with suppress(OSError):  # then they are asked again
                state.keep(folder / FILE, "yes" if said else "no")
    return bool(said)


def _can_ask() -> bool:
    """Somebody sits at a terminal that can be waited for, and the way out leads through a router."""
    try:
        if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
    except (AttributeError, ValueError):  # closed
        return False
    router, _ = gateway.of_this_machine()
    ours = gateway.ours_towards(router) if router else None
    return ours is not None and ip_address(ours).is_private


def _answer(port: int) -> bool | None:
    """What is typed; None if nobody types."""
    standard.warn(_QUESTION.format(port=port))
    if not select.select([sys.stdin], [], [], WAIT)[0]:
        standard.warn("\nnobody answers: the router is not asked (--map-port asks it)\n")
        return None
    line = sys.stdin.readline()
    return line.strip().lower() in ("y", "yes") if line else None
