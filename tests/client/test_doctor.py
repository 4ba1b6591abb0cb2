"""What doctor finds, check by check; real servers are visited in tests/integration."""

import sys
from collections.abc import Callable

import msgspec
import pytest

from tests.client.player import Host, Wire
from tests.client.sound_library import HDMI, HEADSET, WEBCAM, Library
from tests.memory import VoiceReactor
from voicechat.client import doctor
from voicechat.client.audio import devices as choices
from voicechat.client.exits import Exit
from voicechat.client.finding import Finding, Verdict
from voicechat.client.network.target import Target
from voicechat.client.visit import Visit
from voicechat.codecs.enhancing import Enhancement
from voicechat.media.packet import MediaPacket
from voicechat.security.secret import Secret
from voicechat.testing import MemoryCodec
from voicechat.wire import media, messages
from voicechat.wire.datagrams import DatagramType, parse_header
from voicechat.wire.handshake import Reason, Refuse

PASSWORD = "correct horse battery"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(HEADSET, WEBCAM, HDMI)
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    monkeypatch.setattr(choices, "FIRST_WITHIN", 0.0)
    monkeypatch.setattr(doctor, "LISTEN", 0.0)
    return made


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


@pytest.mark.parametrize(
    ("milliseconds", "verdict", "code"),
    [(0.4, Verdict.OK, Exit.OK), (6.0, Verdict.WARNING, Exit.OK), (30.0, Verdict.FAIL, Exit.TROUBLE)],
)
def test_what_coding_takes_is_held_against_the_time_of_a_frame(
    milliseconds: float, verdict: Verdict, code: Exit
) -> None:
    times = iter([5.0, 5.0 + milliseconds / 1000 * doctor.TRIED_FRAMES])
    found = doctor.effort(MemoryCodec(), 12_000, lambda: next(times))
    assert (found.verdict, found.code) == (verdict, code)
    assert f"in {milliseconds} ms" in found.text


@pytest.mark.parametrize(
    ("enhancement", "words"),
    [
        (Enhancement.OFF, "--enhance off"),
        (Enhancement.TOO_OLD, "1.5 and later"),
        (Enhancement.NO_MODELS, "without the models"),
        (Enhancement.CONCEALMENT, "with deep concealment"),
        (Enhancement.SPARED, "without LACE, to spare this computer"),
        (Enhancement.LACE, "with deep concealment and LACE"),
    ],
)
def test_the_libopus_is_named_with_what_it_does_for_what_is_heard(enhancement: Enhancement, words: str) -> None:
    found = doctor.library("1.4", enhancement)
    assert found.verdict is Verdict.OK, "a call works with any"
    assert found.text.startswith("libopus is there: 1.4")
    assert words in found.text


@pytest.mark.parametrize(
    ("levels", "verdict", "words"),
    [
        ([], Verdict.WARNING, "nothing at all"),
        ([0.0, 0.0], Verdict.WARNING, "nothing at all"),
        ([1e-6, 1e-5], Verdict.WARNING, "too quiet"),
        ([1e-6, 1e-3], Verdict.OK, "-30 dBFS"),
        ([1e-6, 0.9], Verdict.WARNING, "clipping"),
    ],
)
def test_the_microphones_level_is_judged(levels: list[float], verdict: Verdict, words: str) -> None:
    found = doctor.level(levels)
    assert found.verdict is verdict
    assert words in found.text


def test_devices_that_are_there_are_named(library: Library) -> None:
    said: list[str] = []
    found = doctor.sound("default", "HDMI", said.append)
    assert [finding.text for finding in found[:3]] == [
        "PortAudio is there",
        "microphone: USB Headset",
        "loudspeaker: HDMI",
    ]
    assert verdicts(found) == [Verdict.OK] * 3 + [Verdict.WARNING], "nobody spoke"
    assert len(said) == 1
    assert not library.streams
    assert not library.initialised


def test_devices_that_are_missing_fail(library: Library) -> None:
    library.unplug(HEADSET, WEBCAM)
    found = doctor.sound("default", "default", lambda _: None)
    failed = [finding for finding in found if finding.verdict is Verdict.FAIL]
    assert [(finding.code, "microphone" in finding.text) for finding in failed] == [(Exit.NO_DEVICE, True)]
    (named,) = doctor.sound("Gramophone", "default", lambda _: None)
    assert (named.verdict, named.code) == (Verdict.FAIL, Exit.NO_DEVICE)
    library.broken = {"HDMI"}
    (broken,) = doctor.sound("silence", "HDMI", lambda _: None)
    assert "cannot open the sound device 'HDMI'" in broken.text


def test_without_a_card_nothing_is_said_of_one() -> None:
    assert doctor.sound("silence", "null", lambda _: None) == []


class Called:
    """A visit in memory."""

    def __init__(self, *, udp: bool = True) -> None:
        self.reactor = VoiceReactor()
        request = messages.Request("Ann", "", echo=True)
        self.visit = Visit(self.reactor, Target("192.0.2.10", 1234, Secret(PASSWORD), request, udp), MemoryCodec())
        self.visit._service.start()

    def connected(self) -> Host:
        """The server's end."""
        _, port, factory, _, _ = self.reactor.tcpClients[-1]
        assert port == 1234
        return Host(factory.buildProtocol(None), "192.0.2.10", PASSWORD)

    def wait(self, seconds: float, each: Callable[[], object] = lambda: None) -> None:
        """Let time go by."""
        for _ in range(round(seconds * 10)):
            self.reactor.advance(0.1)
            each()


def test_a_visit_is_one_login_and_tells_what_does_not_get_through() -> None:
    called = Called()
    host = called.connected()
    host.let_in(messages.Welcome(1, "Ann", "", 7, [], udp_port=1234))
    assert host.request is not None
    assert host.request.echo, "no friend sees it"

    def answer() -> None:
        for message in host.received():
            if isinstance(message, messages.Ping):
                host.tell(messages.Pong(message.id))

    called.wait(5, answer)
    assert verdicts(called.visit.found) == [Verdict.OK, Verdict.WARNING, Verdict.OK]
    texts = [finding.text for finding in called.visit.found]
    assert "lets you in over TCP" in texts[0]
    assert "the host should forward UDP port 1234" in texts[1]
    assert "round trip: 0 ms" in texts[2]
    assert called.reactor.hasStopped or not called.reactor.running
    assert len(called.reactor.tcpClients) == 1


def test_who_asked_for_tcp_is_told_nothing_of_udp() -> None:
    called = Called(udp=False)
    host = called.connected()
    host.let_in()
    called.wait(4)
    assert [finding.text for finding in called.visit.found] == ["server: 192.0.2.10 port 1234 lets you in over TCP"]


def test_who_is_refused_is_told_why_with_the_clients_code() -> None:
    called = Called()
    host = called.connected()
    host.strings()
    host.send(Refuse(Reason.PASSWORD).build())
    called.wait(1)
    (found,) = called.visit.found
    assert (found.verdict, found.code) == (Verdict.FAIL, Exit.PASSWORD)
    assert isinstance(host, Wire)


class EchoHost:
    """A server with an echo test: says again what it hears, by the way that the test chooses."""

    def __init__(self, back: str | None) -> None:
        self.called = Called()
        self.host = self.called.connected()
        echo = messages.Participant(2, "Echo")
        self.host.let_in(messages.Welcome(1, "Ann", "", 7, [echo], udp_port=1234, echo=2))
        self._back = back
        keys = self.host.session.keys
        self._opener, self._seal = keys.datagram_opener(), keys.datagram_seal(7)
        self._heard = 0
        self.said = 0
        """Frames that came by a datagram."""

    def look(self) -> None:
        """Pings are answered, probes told of over TCP, and sound is said again."""
        for message in self.host.received():
            if isinstance(message, messages.Ping):
                self.host.tell(messages.Pong(message.id))
        (port,) = self.called.reactor.ports
        for datagram, _ in port.sent[self._heard :]:
            self._heard += 1
            header = parse_header(datagram)
            packet = self._opener.open(header, datagram)
            if header.type is DatagramType.PROBE:
                self.host.tell(messages.Path(packet[:8].hex()))
            elif header.type is DatagramType.MEDIA:
                self._say(msgspec.structs.replace(media.decode(packet), source=2))

    def _say(self, packet: MediaPacket) -> None:
        self.said += 1
        connection = self.called.visit._call.connection
        if connection is None or self._back is None:
            return
        if self._back == "tcp":
            self.host.tell_bytes(media.encode(packet))
            return
        datagram = self._seal.seal(DatagramType.MEDIA, media.encode(packet))
        connection.connection.datagram_received(parse_header(datagram), datagram, ("192.0.2.10", 1234))


@pytest.mark.parametrize(
    ("back", "verdict", "words"),
    [
        ("udp", Verdict.OK, "UDP gets through, both ways"),
        ("tcp", Verdict.WARNING, "sound for you comes over TCP"),
        (None, Verdict.WARNING, "nothing came back"),
    ],
)
def test_both_ways_are_said_only_when_both_were_proved(back: str | None, verdict: Verdict, words: str) -> None:
    """Each probe of ours arrives, and is told of over TCP, as where a router lets one way pass only."""
    house = EchoHost(back)
    house.called.wait(8, house.look)
    _, udp, _ = house.called.visit.found
    assert udp.verdict is verdict
    assert words in udp.text
    assert ("both ways" in udp.text) == (back == "udp")
    assert house.said > 0, "something was said"
    assert house.called.visit._over


def test_of_a_server_without_an_echo_an_answered_datagram_is_the_proof() -> None:
    called = Called()
    host = called.connected()
    host.let_in(messages.Welcome(1, "Ann", "", 7, [], udp_port=1234))
    keys = host.session.keys
    opener, seal = keys.datagram_opener(), keys.datagram_seal(7)
    (port,) = called.reactor.ports
    heard: list[bytes] = []

    def look() -> None:
        for message in host.received():
            if isinstance(message, messages.Ping):
                host.tell(messages.Pong(message.id))
        connection = called.visit._call.connection
        for datagram, _ in port.sent[len(heard) :]:
            heard.append(datagram)
            header = parse_header(datagram)
            packet = opener.open(header, datagram)
            if connection is not None and connection.has_udp and header.type is DatagramType.PROBE:
                answer = seal.seal(DatagramType.ANSWER, packet[:8] + bytes(8))
                connection.connection.datagram_received(parse_header(answer), answer, ("192.0.2.10", 1234))

    called.wait(5, look)
    assert called.visit.found[1].text == "server: UDP gets through, both ways"
