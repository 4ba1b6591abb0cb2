"""A real browser's WebRTC against the server: its STUN, DTLS and SRTP, and what it hears and is heard by.

The test logs in for it, and hands offer and accept over; the rest is the browser's own.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.sync.client import ClientConnection, connect

from testkit.children import PASSWORD, SOON, Children, Server, stats
from testkit.chromium import Browser, Tab
from voicechat.security.secret import Secret
from voicechat.session.client import ClientSession
from voicechat.wire import control, messages

OFFER: Final = """(async () => {
  const stream = await navigator.mediaDevices.getUserMedia(
    { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const pc = window.pc = new RTCPeerConnection();
  pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendrecv' });
  pc.ontrack = ({ track }) => {
    const player = window.player = new Audio();
    player.srcObject = new MediaStream([track]);
    player.play();
  };
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
})()"""

ANSWER: Final = """(async () => {
  const port = %d, type = %d, accept = %s;
  await pc.setRemoteDescription({ type: 'answer', sdp: [
    'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=ice-lite', 'a=group:BUNDLE 0', 'a=msid-semantic: WMS *',
    `m=audio ${port} UDP/TLS/RTP/SAVPF ${type}`, 'c=IN IP4 127.0.0.1', 'a=rtcp-mux', 'a=mid:0', 'a=sendrecv',
    `a=ice-ufrag:${accept.ufrag}`, `a=ice-pwd:${accept.password}`, `a=fingerprint:sha-256 ${accept.fingerprint}`,
    'a=setup:passive', 'a=msid:s t', `a=ssrc:${accept.ssrc} cname:v`, `a=rtpmap:${type} opus/48000/2`,
    `a=fmtp:${type} minptime=20;useinbandfec=0;stereo=0;usedtx=1;maxaveragebitrate=12000`, 'a=ptime:20',
    `a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`, ''].join('\\r\\n') });
})()"""

STATS: Final = """(async () => {
  const found = {};
  for (const one of (await pc.getStats()).values()) {
    if (one.type === 'inbound-rtp') found.in = { came: one.packetsReceived, lost: one.packetsLost,
      energy: one.totalAudioEnergy, delay: one.jitterBufferDelay / Math.max(1, one.jitterBufferEmittedCount) };
    if (one.type === 'outbound-rtp') found.out = one.packetsSent;
  }
  return found;
})()"""


class Signalled:
    """A browser that is in, by WebRTC; the control messages are the test's."""

    def __init__(self, server: Server, tab: Tab, socket: ClientConnection, name: str) -> None:
        self.tab = tab
        self._session = ClientSession(Secret(PASSWORD), messages.Request(name))
        self._lock = threading.Lock()
        self._accepted = threading.Event()
        self.reports: list[messages.Report] = []
        self.sounds = 0
        """Media packets that came as strings."""
        self._socket = socket
        self._log_in(self._socket)
        tab.goto(f"http://127.0.0.1:{server.port}/")
        tab.until("document.readyState === 'complete' && location.port !== ''")
        sdp = str(tab.evaluate(OFFER))
        (fingerprint,) = set(re.findall(r"a=fingerprint:sha-256 (\S+)", sdp))
        (payload_type,) = re.findall(r"a=rtpmap:(\d+) opus/48000/2", sdp)
        threading.Thread(target=self._listen, daemon=True).start()
        self._say(messages.Offer(int(payload_type), fingerprint))
        assert self._accepted.wait(SOON)
        accept = {field: getattr(self._accept, field) for field in ("ufrag", "password", "fingerprint", "ssrc")}
        tab.evaluate(ANSWER % (server.port, int(payload_type), accept))
        self.connected_after = tab.until("pc.connectionState === 'connected'")

    def _log_in(self, socket: ClientConnection) -> None:
        socket.send(self._session.begin())
        while True:
            value = self._session.receive(bytes(socket.recv(SOON, decode=False)))
            if isinstance(value, messages.Welcome):
                assert messages.RTC in value.capabilities
                return
            assert isinstance(value, bytes)
            socket.send(value)

    def _say(self, message: messages.Message) -> None:
        with self._lock:
            self._socket.send(self._session.seal(control.encode(message)))

    def _listen(self) -> None:
        with contextlib.suppress(Exception):  # it ends with the connection
            for string in self._socket:
                value: Any = self._session.read(self._session.opened(bytes(string)))  # type: ignore[arg-type]
                if isinstance(value, messages.Ping):
                    self._say(messages.Pong(value.id))
                elif isinstance(value, messages.Accept):
                    self._accept = value
                    self._accepted.set()
                elif isinstance(value, messages.Report):
                    self.reports.append(value)
                elif not isinstance(value, messages.Message):
                    self.sounds += 1

    def report(self, came: int) -> None:
        """Tell how much came in the last second."""
        self._say(messages.Report(came, 0, 0))

    def figures(self) -> dict[str, Any]:
        """What the browser counts."""
        found: dict[str, Any] = self.tab.evaluate(STATS)
        return found


@pytest.fixture
def signalled(server: Server, tmp_path: Path) -> Iterator[Signalled]:
    """Ann, by WebRTC."""
    browser = Browser()
    with contextlib.closing(browser), connect(f"ws://127.0.0.1:{server.port}/", compression=None) as socket:
        yield Signalled(server, browser.open("about:blank"), socket, "Ann")


def test_a_browser_hears_and_is_heard_by_webrtc(signalled: Signalled, server: Server, house: Children) -> None:
    file = house.folder / "ben.json"
    ben = house.client(server.port, "Ben", "--duration", "8", "--stats", str(file), input="tone:440")
    ben.line("you are in as Ben")
    before = signalled.figures()
    for _ in range(5):
        signalled.tab.evaluate("new Promise((go) => setTimeout(go, 1000))")
        now = signalled.figures()
        signalled.report(now["in"]["came"] - before.get("in", {}).get("came", 0))
        before = now
    assert now["in"]["came"] > 200, now
    assert now["in"]["lost"] == 0
    assert now["in"]["energy"] > 0.001, "it is sound, and not silence"
    assert now["out"] > 50, "the browser's own beeps"
    assert signalled.reports, "the server tells what came"
    assert signalled.sounds <= 5, "none goes by strings while the reports tell that it comes"
    assert ben.end() == 0
    heard = stats(file)["sources"]["Ann"]
    assert heard > 50
