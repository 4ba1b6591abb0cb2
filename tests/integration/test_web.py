"""A browser's way in, with real sockets: the page and a WebSocket on the server's own port, in the clear and in TLS."""

import http.client
import ssl
import subprocess
from pathlib import Path

import pytest
from websockets.sync.client import connect

from testkit.children import SOON, Children
from testkit.processes import free_port
from voicechat.security.secret import Secret
from voicechat.server.web import PAGE
from voicechat.session.client import ClientSession
from voicechat.wire import messages

SECRET = "correct horse battery staple"


def login(url: str, password: Secret, trusted: ssl.SSLContext | None = None) -> messages.Welcome:
    """Log in over a WebSocket."""
    session = ClientSession(password, messages.Request("Ann"))
    with connect(url, ssl=trusted, compression=None, open_timeout=SOON) as socket:
        socket.send(session.begin())
        while True:
            value = session.receive(bytes(socket.recv(SOON, decode=False)))
            if isinstance(value, messages.Welcome):
                return value
            assert isinstance(value, bytes)
            socket.send(value)


def test_the_page_and_a_login_by_a_websocket_beside_a_native_client(house: Children) -> None:
    port = free_port()
    program = house.start(
        *("twistd", "-n", "--pidfile=", "voicechat", "--password-file", str(house.password_file), "--port", str(port))
    )
    program.line(f"listening on port {port}")
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    asked.request("GET", "/")
    answer = asked.getresponse()
    assert answer.status == 200
    assert answer.read() == PAGE.read_bytes()
    password = Secret(house.password_file.read_text().strip())
    assert login(f"ws://127.0.0.1:{port}/", password).udp_port == port
    client = house.client(port, "Ben", "--duration", "1")
    assert client.end() == 0
    assert "Traceback" not in program.out + program.err


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1."""
    key, file = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=voice"
    words = [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run(words, check=True, capture_output=True)
    return key, file


def test_https_and_wss(house: Children, certificate: tuple[Path, Path]) -> None:
    key, file = certificate
    port = free_port()
    program = house.start(
        *("twistd", "-n", "--pidfile=", "voicechat", "--password-file", str(house.password_file)),
        *("--listen", f"ssl:{port}:privateKey={key}:certKey={file}"),
    )
    program.line(f"listening on port {port}")
    trusted = ssl.create_default_context(cafile=str(file))
    asked = http.client.HTTPSConnection("127.0.0.1", port, timeout=SOON, context=trusted)
    asked.request("GET", "/")
    assert asked.getresponse().read() == PAGE.read_bytes()
    password = Secret(house.password_file.read_text().strip())
    assert login(f"wss://127.0.0.1:{port}/", password, trusted).udp_port == 0
    assert "Traceback" not in program.out + program.err
