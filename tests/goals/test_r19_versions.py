"""R19: who speaks another version is told so, and which one is spoken here.

What the client says to its user then: tests/faults/test_door.py (F10). Versions stand in
the first bytes, so that a version can change all that follows them.
"""

import socket

import pytest

from testkit.children import SOON, Server
from testkit.relay import HOME
from voicechat.wire.handshake import MAGIC, VERSION, Reason, Refuse


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1, 255])
@pytest.mark.parametrize("length", [4, 52, 256])
def test_r19_another_version_is_refused_with_ours(server: Server, version: int, length: int) -> None:
    string = (MAGIC + bytes((version, 1))).ljust(length, b"?")
    with socket.create_connection((HOME, server.port), timeout=SOON) as line, line.makefile("rb") as answers:
        line.sendall(len(string).to_bytes(4, "big") + string)
        answer = answers.read()  # to the end: the server closes
    assert answer[4:] == Refuse(Reason.VERSION, highest_version=VERSION).build()
    assert int.from_bytes(answer[:4], "big") == len(answer) - 4
