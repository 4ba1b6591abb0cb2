"""Routers that lie, refuse or are silent, or stand behind another: named, and the server serves all the same."""

import signal

import pytest

from tests.router.town import Town
from voicechat.server.router import memory


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--address", "100.64.1.2"), "(CGNAT)"),
        (("--address", "192.168.0.7", "--no-pcp"), "(double NAT)"),
        (("--address", "127.0.0.1"), "none that friends can reach"),
        (("--address", "0.0.0.0"), "does not say by which address"),
        (("--result", "2"), "does not allow it"),
        (("--silent",), "no router answers that could open port 1234"),
        (("--garbage",), "no router answers that could open port 1234"),
        (("--no-pcp", "--lease", "4294967295"), "(NAT-PMP): friends reach it at voicechat://8.9.10.11"),
    ],
    ids=lambda value: "".join(value).strip("-") if isinstance(value, tuple) else None,
)
def test_it_is_named_and_the_server_serves_and_ends(town: Town, options: tuple[str, ...], said: str) -> None:
    router = town.moody(*options)
    server = town.server()
    assert said in server.line(" router ", 30) or said in server.line(said, 30)
    kept = town.house.folder / "state" / memory.FILE
    assert kept.exists() == ("router opened" in server.out)
    asked = town.start(town.home, "voicechat-server", "invite", "--state", str(kept.parent))
    assert asked.end() == 0
    assert (f"Your router opened port 1234, but {said[:1]}" in asked.out) <= ("but" in server.out)
    assert ("8.9.10.11" in asked.out) == ("8.9.10.11" in server.out)
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert server.err == ""
    assert not kept.exists()
    if "router opened" in server.out:
        router.line("open: []")
