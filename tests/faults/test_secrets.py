"""Faults of the first voice chat with its password, shown to be gone: F3, F4."""

import base64
import hashlib
from typing import Any

from twisted.logger import globalLogPublisher

from tests.client.player import Player
from tests.server.house import PASSWORD, House, Log, TcpFriend
from voicechat.client.cli import options as client_options
from voicechat.security.secret import Secret
from voicechat.server.tap import Options
from voicechat.wire import messages

TYPO = "correct hores battery"
"""What a friend types in a hurry is as good as the password to whoever reads it."""


def shown(thing: Any, depth: int = 4) -> str:
    """What a debugger, a crash report or a careless log line would show of an object and those in it."""
    text = repr(thing)
    if depth:
        inside = getattr(thing, "__dict__", None) or {}
        slots = {name: getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())}
        if type(thing) is not Secret:
            text += "".join(
                f" {name} {shown(value, depth - 1)}"
                for name, value in {**inside, **slots}.items()
                if type(value).__module__.startswith("voicechat") or isinstance(value, str | bytes | dict)
            )
    return text


def test_f3_no_log_line_traceback_or_repr_shows_a_password() -> None:
    """There, the right ones and the typing errors stood in the log of either side."""
    everything = Log()
    globalLogPublisher.addObserver(everything)
    try:
        house = House()
        ann = TcpFriend(house, "Ann").begin()
        typist = TcpFriend(house, "Ben", password=TYPO).begin()
        stranger = TcpFriend(house, "stranger")
        stranger.send_string(PASSWORD.encode())
        house.login()
        ann.client.session.opened = None  # type: ignore[method-assign, assignment]
        ann.send(messages.Text("a fault of ours, with a traceback"))
        half = TcpFriend(house, "half").begin()
        house.settle()
        player = Player()
        player.service.start()
        player.accepted()
        server, client = Options(), client_options(["--host", "h", "--password-file", "/dev/null"])
        server.parseOptions(["--password", PASSWORD])
    finally:
        globalLogPublisher.removeObserver(everything)
    assert typist.refused is not None
    assert house.log.failures, "the fault was told"
    told = "\n".join([*house.log.lines, *everything.lines, player.out.getvalue(), player.err.getvalue()])
    seen = "\n".join(
        shown(thing)
        for thing in (house.hub, ann.protocol, half.protocol, stranger.protocol, player.service, server, client)
    )
    assert "Secret(***)" in seen, "it was there to be seen"
    for text in (PASSWORD, TYPO):
        assert text not in told
        assert text not in seen


def spellings(password: str) -> list[bytes]:
    """A password, and what simple protocols send in its place."""
    plain = password.encode()
    digests = [hashlib.new(name, plain).digest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b")]
    return [
        plain,
        plain[:8],
        plain[::-1],
        password.encode("utf-16-le"),
        base64.b64encode(plain),
        plain.hex().encode(),
        *digests,
        *(digest.hex().encode() for digest in digests),
        *(base64.b64encode(digest) for digest in digests),
    ]


def test_f4_nothing_on_the_wire_shows_the_password_or_a_hash_of_it() -> None:
    """There, it went in clear."""
    wire = bytearray()
    for n in range(20):
        house = House()
        friend = TcpFriend(house, "Ann", password=PASSWORD if n % 4 else TYPO)
        receive, write = friend.protocol.dataReceived, friend.transport.write

        def up(data: bytes, receive: Any = receive) -> None:
            wire.extend(data)
            receive(data)

        def down(data: bytes, write: Any = write) -> None:
            wire.extend(data)
            write(data)

        friend.protocol.dataReceived = up  # type: ignore[method-assign]
        friend.transport.write = down  # type: ignore[method-assign]
        friend.begin()
        house.login()
        assert (friend.welcome is not None) == bool(n % 4)
    assert len(wire) > 20 * 150
    for text in (PASSWORD, TYPO):
        assert not [spelling for spelling in spellings(text) if spelling in wire]


def test_f4_two_logins_with_one_password_have_nothing_in_common() -> None:
    """A listener who records many learns no more than from one."""
    hellos, proofs = set(), set()
    for _ in range(20):
        house = House()
        friend = TcpFriend(house, "Ann")
        sent: list[bytes] = []
        receive = friend.protocol.dataReceived

        def up(data: bytes, sent: list[bytes] = sent, receive: Any = receive) -> None:
            sent.append(data)
            receive(data)

        friend.protocol.dataReceived = up  # type: ignore[method-assign]
        friend.begin()
        house.login()
        hellos.add(sent[0][24:])
        proofs.add(sent[1][8:40])
    assert len(hellos) == len(proofs) == 20
