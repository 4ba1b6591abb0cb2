"""A home, its router and a friend outside, each in a network namespace; and Debian's miniupnpd on the router.

What miniupnpd wants (each seen to fail without): chains that hang on the nat hooks, ``enable_natpmp`` (which switches
PCP on, too), and an outer address that looks public. It is unpacked by `.ci/prepare router` and never installed, so no
service of it starts on this machine. Needs root.
"""

import json
import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from testkit.children import Children, Program
from voicechat.server.router.wire import AskMap, Carried

MINIUPNPD: Final = Path(__file__).parents[2] / ".cache" / "router" / "usr" / "sbin" / "miniupnpd"

HOME, ROUTER, OUTSIDE, FRIEND = "10.77.0.2", "10.77.0.1", "11.22.33.44", "11.22.33.1"

ANYTHING: Final = "allow 1024-65535 10.77.0.0/24 1024-65535"
NOTHING: Final = "deny 0-65535 0.0.0.0/0 0-65535"

_CHAINS: Final = """
table inet filter {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
    chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
    chain postrouting {
        type nat hook postrouting priority 100; policy accept;
        jump postrouting_miniupnpd
        oifname "wan0" masquerade
    }
}
"""


class Town:
    """The three, until `close`; what runs in them is ``house``'s."""

    def __init__(self, house: Children) -> None:
        self.house = house
        self.home, self.router, self.friend = (f"vt{os.getpid()}{letter}" for letter in "hrf")
        self._daemon: Program | None = None

    def build(self) -> None:
        """Make the networks."""
        for name in (self.home, self.router, self.friend):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        for port, far in (("lan0", self.home), ("wan0", self.friend)):
            _run("ip", "link", "add", port, "netns", self.router, "type", "veth", "peer", "name", "eth0", "netns", far)
        for name, port, address in (
            (self.router, "lan0", ROUTER),
            (self.router, "wan0", OUTSIDE),
            (self.home, "eth0", HOME),
            (self.friend, "eth0", FRIEND),
        ):
            _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", port)
            _run("ip", "-n", name, "link", "set", port, "up")
        _run("ip", "-n", self.home, "route", "add", "default", "via", ROUTER)
        _run(*self.within(self.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
        self.flush()

    def close(self) -> None:
        """Nothing of it stays."""
        for name in (self.home, self.router, self.friend):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def within(self, name: str, *words: str) -> list[str]:
        """What runs a command there."""
        return ["ip", "netns", "exec", name, *words]

    def start(self, name: str, *words: str, variables: dict[str, str] | None = None) -> Program:
        """A program there."""
        beside = Path(sys.executable).parent / words[0]
        return self.house.start(
            *self.within(name, str(beside) if beside.exists() else words[0], *words[1:]), variables=variables
        )

    def server(self, *options: str) -> Program:
        """A server at home that asks the router, and keeps its state in one folder; it listens."""
        program = self.start(
            self.home, "voicechat-server", *(options or ("--map-port",)), "--state", str(self.house.folder / "state")
        )
        program.line("listening on port")
        return program

    def flush(self) -> None:
        """The router has forgotten all ports, as after its restart."""
        rules = self.house.folder / "rules.nft"
        rules.write_text(f"flush ruleset\n{_CHAINS}")
        _run(*self.within(self.router, "nft", "-f", str(rules)))

    def daemon(self, rule: str = ANYTHING, *, natpmp: bool = True) -> None:
        """Start miniupnpd, with what it allows."""
        assert MINIUPNPD.exists(), "`.ci/prepare router` unpacks it"
        lines = [
            "ext_ifname=wan0",
            "listening_ip=lan0",
            f"enable_natpmp={'yes' if natpmp else 'no'}",
            "enable_upnp=yes",
            "secure_mode=yes",
            "uuid=00000000-0000-0000-0000-000000000001",
            rule,
            NOTHING,
        ]
        settings = self.house.folder / "miniupnpd.conf"
        settings.write_text("\n".join(lines) + "\n")
        pid = str(self.house.folder / "miniupnpd.pid")
        self._daemon = self.start(self.router, str(MINIUPNPD), "-d", "-f", str(settings), "-P", pid)
        self._daemon.line("Listening for NAT-PMP/PCP" if natpmp else "HTTP listening on port")

    def restart(self) -> None:
        """The router goes off and on, and has forgotten everything."""
        assert self._daemon is not None
        self._daemon.kill()
        self.flush()
        self.daemon()

    def moody(self, *options: str) -> Program:
        """Start a router of ours in place of it: `tests.router.moody`."""
        root = str(Path(__file__).parents[2])
        words = (sys.executable, "-m", "tests.router.moody", *options)
        program = self.start(self.router, *words, variables={"PYTHONPATH": root})
        program.line("ready")
        return program

    def taken_by_another(self, port: int) -> None:
        """Another machine of the home has a port already."""
        other = "10.77.0.3"
        _run("ip", "-n", self.home, "addr", "add", f"{other}/24", "dev", "eth0")
        for carried in Carried:
            request = AskMap(carried, 1024, port, 3600, ip_address(other), bytes(12)).build().hex()
            asks = (
                f"import socket; s = socket.socket(type=2); s.bind(('{other}', 0)); s.settimeout(9);"
                f"s.sendto(bytes.fromhex('{request}'), ('{ROUTER}', 5351)); s.recv(999)"
            )
            _run(*self.within(self.home, sys.executable, "-c", asks))

    def until_open(self, ports: set[str]) -> None:
        """Wait until the router passes on these and no others; it is looked at ten times a second."""
        ticking = self.house.start("sh", "-c", "while echo; do sleep 0.1; done")
        ticking.until(lambda: self.open == ports, f"see {ports} open")

    @property
    def open(self) -> set[str]:
        """Which ports the router passes on now, as ``tcp 1234``."""
        chain = ("nft", "--json", "list", "chain", "inet", "filter", "prerouting_miniupnpd")
        told = subprocess.run(self.within(self.router, *chain), capture_output=True, check=True)
        found = set()
        for row in json.loads(told.stdout)["nftables"]:
            right = [part["match"]["right"] for part in row.get("rule", {}).get("expr", ()) if "match" in part]
            numbers = [value for value in right if isinstance(value, int)]
            if numbers:
                carried = "udp" if 17 in numbers else "tcp"
                found.add(f"{carried} {max(numbers)}")
        return found


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
