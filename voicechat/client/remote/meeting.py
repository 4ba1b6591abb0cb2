"""Where voicechat-ctl and a running client meet: the one place that knows which way there is on this system.

Local sockets (`runtime`) where the system has them and Twisted can listen on them; else, on Windows, a port of this
machine with a proof (`loopback`). Either is a module with `find` and `ask`; the client's side of both is in `doors`.
Imports next to nothing: voicechat-ctl is bound to a key and has to be quick.
"""

import os
import socket
import sys
from collections.abc import Mapping

from voicechat.client.remote import loopback

if sys.platform != "win32":
    from voicechat.client.remote import runtime


def local_sockets() -> bool:
    """Whether there are local sockets."""
    return os.name == "posix" and hasattr(socket, "AF_UNIX")


def find(environ: Mapping[str, str]) -> list[str]:
    """The files of all living clients of this user. ConfigError if somebody else's stand in their place."""
    if sys.platform != "win32" and local_sockets():
        return runtime.find(environ)
    return loopback.find(environ)


def ask(path: str, request: bytes, seconds: float) -> socket.socket:
    """Send a line to the client of a file; the connection on which it answers. OSError says why that cannot be."""
    if sys.platform != "win32" and local_sockets():
        return runtime.ask(path, request, seconds)
    return loopback.ask(path, request, seconds)
