"""Lines between the parties: a network namespace for each, or loopback where that is not allowed.

What lives here: ``Namespaces`` (root only) and ``Loopback``, alike to their users. May
import the standard library and the relay. Nothing in the namespaces reaches the
machine's real network, and all of them go at the end.

The server lives in one namespace, client k in another, with a link of its own between
them: 10.77.k+1.1 is the server's end. A plain link is a veth pair; an impaired one is
two TUN devices joined by ``bench.rig.relay``, since not every kernel has netem.
"""

import contextlib
import ctypes
import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from bench.rig.relay import Impairment
from testkit.processes import free_port

SERVER: Final = -1
"""The server's place; clients have 0, 1, ..."""

PORT: Final = 1234
"""Where a server listens in its namespace."""

_PREFIX: Final = "vcbench"
_ETHERNET_BYTES: Final = 14
"""A veth counts them with each packet, a TUN device does not."""

_CLONE_NEWNET: Final = 0x4000_0000
_TUNSETIFF: Final = 0x4004_54CA
_IFF_TUN_NO_PI: Final = 0x1001


class Traffic(NamedTuple):
    """What passed a client's link at IP level: headers count."""

    up_bytes: int
    up_packets: int
    down_bytes: int
    down_packets: int


class INetwork(Protocol):
    """The parties' lines."""

    port: int

    def command(self, place: int, argv: Sequence[str]) -> list[str]:
        """``argv`` as it is to be run by the party at a place."""

    def host(self, k: int) -> str:
        """The server's address as client k sees it."""

    def traffic(self, k: int) -> Traffic | None:
        """What client k sent and received since the start; None where it cannot be told."""


class Loopback:
    """Everybody on this machine's loopback; needs no right, counts nothing."""

    def __init__(self) -> None:
        self.port = free_port()

    def command(self, place: int, argv: Sequence[str]) -> list[str]:  # noqa: ARG002  all are at one place
        """As it is."""
        return list(argv)

    def host(self, k: int) -> str:  # noqa: ARG002
        """IPv4's."""
        return "127.0.0.1"

    def traffic(self, k: int) -> Traffic | None:  # noqa: ARG002
        """Unknown."""
        return None


class Namespaces:
    """A namespace for the server and for each client."""

    port = PORT

    def __init__(self, clients: int, impairment: Impairment | None = None) -> None:
        self._clients = clients
        self._impairment = impairment
        self._relay: subprocess.Popen[bytes] | None = None

    def command(self, place: int, argv: Sequence[str]) -> list[str]:
        """Run in the party's namespace; ip(8) becomes the command, so its process id is the command's."""
        return ["ip", "netns", "exec", _name(place), *argv]

    def host(self, k: int) -> str:
        """The server's end of client k's link."""
        return f"10.77.{k + 1}.1"

    def traffic(self, k: int) -> Traffic | None:
        """From the client's end."""
        table = _run("ip", "netns", "exec", _name(k), "cat", "/proc/net/dev")
        (line,) = (line for line in table.splitlines() if line.strip().startswith("eth0:"))
        fields = [int(field) for field in line.split(":")[1].split()]
        down, down_packets, up, up_packets = fields[0], fields[1], fields[8], fields[9]
        head = 0 if self._impairment else _ETHERNET_BYTES
        return Traffic(up - head * up_packets, up_packets, down - head * down_packets, down_packets)

    def start(self) -> None:
        """Make the namespaces and links; OSError or CalledProcessError where that is not allowed."""
        for place in self._places():
            _run("ip", "netns", "add", _name(place))
            no_ipv6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            with contextlib.suppress(subprocess.CalledProcessError, FileNotFoundError):
                # Its address discovery would be counted.
                _run("ip", "netns", "exec", _name(place), "sysctl", "-qw", *no_ipv6)
            _run("ip", "-n", _name(place), "link", "set", "lo", "up")
        devices = [device for k in range(self._clients) for device in self._link(k)]
        if devices and self._impairment is not None:
            command = [sys.executable, "-m", "bench.rig.relay", self._impairment.text(), *map(str, devices)]
            self._relay = subprocess.Popen(command, pass_fds=devices, stdin=subprocess.DEVNULL)
            for device in devices:
                os.close(device)

    def stop(self) -> None:
        """Take everything away."""
        if self._relay is not None:
            self._relay.kill()
            self._relay.wait()
        for place in self._places():
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "del", _name(place))

    def _places(self) -> range:
        return range(SERVER, self._clients)

    def _link(self, k: int) -> list[int]:
        """Join client k with the server; the devices of an impaired link."""
        client, server, device = _name(k), _name(SERVER), f"c{k}"
        devices = []
        if self._impairment is None:
            _run("ip", "link", "add", "eth0", "netns", client, "type", "veth", "peer", "name", device, "netns", server)
            for name, end in ((client, "eth0"), (server, device)):
                # A link does not join packets; without ethtool the kernel's joining stays on, and TCP's count is low.
                with contextlib.suppress(subprocess.CalledProcessError, FileNotFoundError):
                    off = ("tso", "off", "gso", "off", "gro", "off")
                    _run("ip", "netns", "exec", name, "ethtool", "-K", end, *off)
        else:
            devices = [_tun(client, "eth0"), _tun(server, device)]
        _run("ip", "-n", server, "addr", "add", f"10.77.{k + 1}.1/30", "dev", device)
        _run("ip", "-n", client, "addr", "add", f"10.77.{k + 1}.2/30", "dev", "eth0")
        _run("ip", "-n", server, "link", "set", device, "up")
        _run("ip", "-n", client, "link", "set", "eth0", "up")
        return devices


def allowed() -> bool:
    """Whether namespaces can be made here."""
    name = f"{_PREFIX}-{os.getpid()}-try"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextlib.contextmanager
def network(clients: int, impairment: Impairment | None) -> Iterator[INetwork]:
    """Lines for a server and ``clients``; loopback where namespaces are not allowed."""
    if not allowed():
        yield Loopback()
        return
    _sweep()
    lines = Namespaces(clients, impairment)
    try:
        lines.start()
        yield lines
    finally:
        lines.stop()


def _sweep() -> None:
    """Take away what a killed run left behind."""
    for line in _run("ip", "netns", "list").splitlines():
        prefix, *rest = line.split()[0].split("-")
        if prefix == _PREFIX and rest and not Path("/proc", rest[0]).exists():
            _run("ip", "netns", "del", line.split()[0])


def _name(place: int) -> str:
    return f"{_PREFIX}-{os.getpid()}-{'server' if place == SERVER else place}"


def _tun(namespace: str, name: str) -> int:
    """The descriptor of a new TUN device inside a namespace."""
    library = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if library.setns(there, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_NO_PI))
    finally:
        library.setns(here, _CLONE_NEWNET)
        os.close(here)
        os.close(there)
    return device


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
