"""Advice about a server that is not reached."""

import pytest

from voicechat.client.network.reasons import unreachable


@pytest.mark.parametrize(
    ("host", "far"),
    [
        ("play.example.org", True),
        ("play.example.org.", True),
        ("9.9.9.9", True),
        ("2620:fe::fe", True),
        ("127.0.0.1", False),
        ("192.168.1.7", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::7", False),
        ("localhost", False),
        ("nas", False),
        ("nas.local", False),
        ("nas.fritz.lan.", False),
    ],
)
def test_whoever_calls_over_the_internet_is_asked_about_the_port(host: str, far: bool) -> None:
    told = unreachable(host, 1234, "it does not answer")
    asked = "it does not answer; is the server on, and the address right?"
    assert told.startswith(f"cannot reach {host} port 1234: {asked}")
    assert ("Has the host forwarded port 1234 (TCP)?" in told) == far
