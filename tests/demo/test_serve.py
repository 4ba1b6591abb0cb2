import ipaddress
import socket

import pytest

from demo import serve
from voicechat.security.secret import Secret


def test_the_invitation_has_a_command_for_each_address() -> None:
    text = serve.invitation(["192.0.2.7", "2001:db8::7"], 1234, Secret("secret"))
    assert "voicechat-client 'voicechat://192.0.2.7#secret' --name NAME\n" in text
    assert "voicechat-client 'voicechat://[2001:db8::7]#secret' --name NAME\n" in text
    assert "port 1234, TCP and UDP" in text


def test_another_port_stands_in_the_command_and_in_the_hint() -> None:
    text = serve.invitation(["192.0.2.7"], 4321, Secret("secret"))
    assert "voicechat://192.0.2.7:4321#secret" in text
    assert "port 4321, TCP and UDP" in text


def test_without_an_address_the_command_is_still_there() -> None:
    assert "voicechat://ADDRESS-OF-THIS-MACHINE#secret" in serve.invitation([], 1234, Secret("secret"))


@pytest.mark.parametrize(("text", "port"), [(None, 1234), ("", 1234), ("1", 1), ("65535", 65535)])
def test_the_port(text: str | None, port: int) -> None:
    assert serve.chosen_port(text) == port


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "12 34", "²"])
def test_what_is_no_port_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is not a port"):
        serve.chosen_port(text)


def test_addresses_are_such_that_others_can_use() -> None:
    for text in serve.addresses():
        address = ipaddress.ip_address(text)
        assert not address.is_loopback
        assert not address.is_link_local


def test_a_port_in_use_is_noticed_and_a_free_one_is_not_held() -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        assert serve.is_taken(port)
    assert not serve.is_taken(port)
