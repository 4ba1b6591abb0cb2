"""``python -m demo.serve``: a server for one evening, and what each friend must type.

What lives here: starting the real server with a generated password, and the
invitation. May import the demo's children, what makes links, what knows of the
terminal, and the standard library.

The port is 1234 or ``$PORT``. Ends at Ctrl-C, SIGTERM or when its window is closed with status 0, else with the
server's.
"""

import contextlib
import fcntl
import ipaddress
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from testkit.processes import Child, command, ends_as_interrupt, follow, password_file, stop, wait_for_port
from voicechat import standard
from voicechat.errors import DeviceError
from voicechat.invite import Invite
from voicechat.security.secret import Secret
from voicechat.server.terminal import LOOK_EACH, Terminal

PORT: Final = 1234
"""The server's and the client's default."""

_SIOCGIFADDR: Final = 0x8915
"""netdevice(7): the IPv4 address of an interface."""


def main() -> int:
    """Serve until stopped; gives the exit status."""
    standard.open_closed()
    with ends_as_interrupt():
        try:
            return run()
        except KeyboardInterrupt:  # before there was anything to stop
            return 0


def run() -> int:
    """Serve until the server ends, or an interrupt; nothing is left behind: no process, no password."""
    try:
        port = chosen_port(os.environ.get("PORT"))
    except ValueError as error:
        standard.warn(f"serve: {error}\n")
        return 2
    if is_taken(port):
        standard.warn(f"serve: port {port} is in use; choose another: make serve PORT={port + 1}\n")
        return 1
    children: list[Child] = []
    with password_file() as (password, path), tempfile.TemporaryDirectory(prefix="voicechat-serve-") as folder:
        try:
            return _serve(port, password, path, Path(folder), children)
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


def invitation(addresses: Sequence[str], port: int, password: Secret) -> str:
    """What the host reads: the command that works from each of the machine's addresses, and what the router needs."""
    lines = ["A friend types one of these (with headphones: there is no echo cancelling):", ""]
    lines += [
        f"  voicechat-client '{Invite(address, port, '', password).link()}' --name NAME"
        for address in addresses or ["ADDRESS-OF-THIS-MACHINE"]
    ]
    lines += [
        "",
        f"From outside your network: forward port {port}, TCP and UDP, to this machine in your router,",
        "and give your friends a link with its outer address instead. Whoever has the link can join.",
        "Ctrl-C ends the server, and the password with it.",
    ]
    return "\n".join(lines)


def chosen_port(text: str | None) -> int:
    """The port from ``$PORT``; ValueError, with one line as its text, if that is no port."""
    if not text:
        return PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise ValueError(f"PORT={text} is not a port: a number from 1 to 65535")
    return int(text)


def addresses() -> list[str]:
    """This machine's addresses that others may reach it by, IPv4 first; without loopback and link-local ones."""
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [*_ipv4(), *_ipv6()]
    return [str(address) for address in dict.fromkeys(found) if not (address.is_loopback or address.is_link_local)]


def is_taken(port: int) -> bool:
    """Whether a server could not listen on this port, TCP and UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                return True
    return False


def _serve(port: int, password: str, path: Path, folder: Path, children: list[Child]) -> int:
    twistd = [command("twistd"), "-n", "--pidfile=", "voicechat", "--password-file", str(path), "--port", str(port)]
    server = Child("server", twistd, folder / "server.log", _say)
    children.append(server)
    trouble = wait_for_port(server, port)
    if trouble is not None:
        standard.warn(f"serve: {trouble}\n")
        return 1
    _say("\n" + invitation(addresses(), port, Secret(password)) + "\n")
    terminal = Terminal()
    while not follow([server], LOOK_EACH, lambda: server.end is not None):
        if terminal.taken_from_us and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            raise KeyboardInterrupt
    standard.warn(f"serve: {server.failure() or 'the server ended'}\n")
    return server.end.status if server.end is not None and server.end.status > 0 else 1


def _say(line: str) -> None:
    """Show a line; where nobody looks any more, the server goes on."""
    with contextlib.suppress(DeviceError):
        standard.write(f"{line}\n")


def _ipv4() -> Iterator[ipaddress.IPv4Address]:
    with socket.socket(type=socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue  # an interface that is down or has no IPv4 address
            yield ipaddress.IPv4Address(answer[20:24])


def _ipv6() -> Iterator[ipaddress.IPv6Address]:
    table = Path("/proc/net/if_inet6")
    if table.exists():
        for line in table.read_text().splitlines():
            yield ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))


if __name__ == "__main__":
    sys.exit(main())
