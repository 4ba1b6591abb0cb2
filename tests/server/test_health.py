"""Figures and health over HTTP: what is answered, what it costs, and what ends it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from twisted.application.service import MultiService
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.memory import VoiceReactor
from tests.server.house import House, TcpFriend
from tests.server.test_metrics import DOC
from voicechat.server import exposition, health
from voicechat.server.health import (
    ASKED_BURST,
    ASKING_SECONDS,
    MOST_ASKING,
    ON_TIME,
    SCRAPES_BURST,
    Health,
    HealthFactory,
)
from voicechat.server.metrics import HealthAnswer, Metrics, Reading
from voicechat.server.service import CannotListen, VoiceService
from voicechat.server.supervision import OVERDUE
from voicechat.server.tap import Options, makeService


class Transport(StringTransport):
    """Knows whether it was aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()


class Port:
    """The port of a house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.listens = True
        self.factory = HealthFactory(house.hub, Health(house.hub, lambda: self.listens))

    def connect(self) -> tuple[Transport, health.HealthProtocol | None]:
        """Somebody comes."""
        transport = Transport()
        asking = self.factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 50_000))
        if asking is not None:
            assert isinstance(asking, health.HealthProtocol)
            asking.makeConnection(transport)
        return transport, asking

    def ask(self, *parts: bytes) -> tuple[int, str]:
        """Status and body of what is answered to these bytes, after which the connection is over."""
        transport, asking = self.connect()
        assert asking is not None
        for part in parts:
            asking.dataReceived(part)
        assert transport.disconnecting
        asking.connectionLost(Failure(ConnectionError()))
        head, _, body = transport.value().partition(b"\r\n\r\n")
        assert re.search(rb"(?i)content-length: (\d+)", head)[1] == b"%d" % len(body)  # type: ignore[index]
        return int(head.split()[1]), body.decode()

    def get(self, path: str) -> tuple[int, str]:
        """The same, of a GET."""
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def counted(self, what: HealthAnswer) -> float:
        return self.house.counted("health_requests_total", what)


@pytest.fixture
def port() -> Port:
    return Port(House(always_mix=True))


def values(text: str) -> dict[str, float]:
    """Every number by its name and labels, as Prometheus' own parser reads them."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_told_is_what_is_counted(port: Port) -> None:
    ann, ben, cid = (TcpFriend(port.house, name, room="red") for name in ("Ann", "Ben", "Cid"))
    for friend in (ann, ben, cid):
        friend.begin()
    port.house.login()
    status, text = port.get("/metrics")
    before = values(text)
    assert status == 200
    ann.talk(0.25)
    port.house.pass_seconds(1.0)
    cid.transport.abortConnection()
    port.house.settle()
    after = values(port.get("/metrics")[1])
    metrics = port.house.hub.metrics
    for sample in metrics.samples():
        if sample.name != "health_requests_total":
            assert after[f"voicechat_{sample.name}{sorted(sample.labels.items())}"] == sample.value
    assert after["voicechat_participants[('state', 'here')]"] == 2
    assert after["voicechat_participants[('state', 'away')]"] == 1
    for name in ("frames_mixed_total[]", "ticks_total[]", "tick_late_seconds_count[]", "tick_late_seconds_sum[]"):
        assert after[f"voicechat_{name}"] > before[f"voicechat_{name}"] >= 0, name
    assert after["voicechat_tick_late_seconds_bucket[('le', '+Inf')]"] == after["voicechat_tick_late_seconds_count[]"]
    assert before["voicechat_health_requests_total[('answer', 'metrics')]"] == 1
    assert any(name.startswith("voicechat_build_info[('protocol', ") for name in after)


def test_no_name_and_no_address_is_told(port: Port) -> None:
    TcpFriend(port.house, "Zebulon", room="crimson").begin()
    port.house.login()
    text = port.get("/metrics")[1]
    assert "voicechat_participants" in text
    assert not re.search(r"(?i)zebulon|crimson|127\.0\.0|192\.0\.2", text)


def test_each_family_has_its_kind_and_the_words_of_the_docs() -> None:
    families = {
        family.name: family
        for family in text_string_to_metric_families(exposition.Exposition(Metrics()).text().decode())
    }
    rows = re.findall(r"^\| `([a-z_]+)(?:\{.*?\})?` \| \w+ \| (.*) \|$", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    words = {name: said.replace("`", "") for name, said in rows}
    for name, metric in Metrics().families().items():
        family = families.pop(f"voicechat_{name.removesuffix('_total')}")
        assert (family.type, family.documentation) == (metric.kind, words[name])
    assert list(families) == ["voicechat_build_info"]


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metric", "/debug", "//metrics", "http://x/metrics", "*"])
def test_nothing_else_is_answered(port: Port, path: str) -> None:
    assert port.get(path)[0] == 404
    assert port.counted(HealthAnswer.NOT_FOUND) == 1


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"DELETE /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",  # without Host
        b"\x00\x00\x01\x02 a client of ours\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nLong: " + b"x" * 9000,
    ],
)
def test_what_is_no_such_request_is_refused_and_counted(port: Port, request_: bytes) -> None:
    assert port.ask(request_)[0] == 400
    assert port.counted(HealthAnswer.BAD_REQUEST) == 1


@settings(max_examples=60)
@given(st.lists(st.binary(min_size=1, max_size=400), max_size=30))  # no transport gives nothing
def test_whatever_comes_is_one_answer_at_most_and_no_fault(parts: list[bytes]) -> None:
    port = Port(House())
    transport, asking = port.connect()
    assert asking is not None
    for part in parts:
        asking.dataReceived(part)
    assert transport.value().count(b"HTTP/1.1 ") <= 1
    assert port.house.counted("faults_total") == 0
    assert not port.house.log.failures


def test_a_request_may_come_in_pieces_and_what_follows_it_is_not_read(port: Port) -> None:
    text = b"GET /livez?verbose HTTP/1.1\r\nHost: x\r\n\r\n"
    assert port.ask(*(text[at : at + 1] for at in range(len(text))), text, b"more") == (200, "ok\n")
    assert port.counted(HealthAnswer.OK) == 1


def test_who_is_slow_is_cut_off(port: Port) -> None:
    transport, asking = port.connect()
    assert asking is not None
    for _ in range(9):  # a byte now and then buys no time
        asking.dataReceived(b"G")
        port.house.clock.advance(ASKING_SECONDS / 10)
        assert not transport.aborted
    port.house.clock.advance(ASKING_SECONDS / 10)
    assert transport.aborted
    assert port.counted(HealthAnswer.TOO_SLOW) == 1


def test_so_many_are_taken_at_once_and_a_place_is_free_when_one_has_gone(port: Port) -> None:
    held = [port.connect()[1] for _ in range(MOST_ASKING)]
    assert port.connect()[1] is None
    assert port.counted(HealthAnswer.TOO_MANY) == 1
    asking = held.pop()
    assert asking is not None
    asking.connectionLost(Failure(ConnectionError()))
    assert port.get("/livez") == (200, "ok\n")
    assert len(port.factory.asking) == MOST_ASKING - 1


def test_a_flood_of_connections_is_closed_unread(port: Port) -> None:
    answered = 0
    for _ in range(1000):
        transport, asking = port.connect()
        if asking is not None:
            asking.dataReceived(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            answered += bool(transport.value())
            asking.connectionLost(Failure(ConnectionError()))
    assert answered == port.counted(HealthAnswer.OK) == ASKED_BURST
    assert port.counted(HealthAnswer.TOO_MANY) == 1000 - ASKED_BURST
    port.house.clock.advance(1.0)
    assert port.get("/livez")[0] == 200


def test_a_flood_of_scrapes_makes_few_texts_and_leaves_health_alone(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    generate = exposition.Exposition.text

    def counted(it: exposition.Exposition) -> bytes:
        made.append(it)
        return generate(it)

    monkeypatch.setattr(exposition.Exposition, "text", counted)
    answers = [port.get("/metrics")[0] for _ in range(50)]
    assert len(made) == answers.count(200) == SCRAPES_BURST
    assert port.counted(HealthAnswer.TOO_OFTEN) == answers.count(503) == 50 - SCRAPES_BURST
    assert port.get("/livez")[0] == port.get("/readyz")[0] == 200
    port.house.clock.advance(1.0)
    assert port.get("/metrics")[0] == 200


def test_a_fault_in_a_figure_costs_one_answer_and_is_told(port: Port) -> None:
    def fails() -> float:
        raise ZeroDivisionError

    good, port.house.hub.metrics.rooms = port.house.hub.metrics.rooms, Reading("gauge", fails)
    transport, asking = port.connect()
    assert asking is not None
    asking.dataReceived(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert transport.aborted
    assert port.house.counted("faults_total") == 1
    port.house.hub.metrics.rooms = good
    assert port.get("/metrics")[0] == 200


def three_talk(port: Port) -> None:
    for friend in [TcpFriend(port.house, name).begin() for name in ("Ann", "Ben", "Cid")]:
        port.house.login()
        friend.talk(0.1)
    port.house.pass_ticks(20)
    assert port.house.hub.ticker.running


def test_ready_is_who_listens_and_keeps_time(port: Port) -> None:
    assert port.get("/readyz") == (200, "ok\n")
    port.listens = False
    assert port.get("/readyz") == (503, "the server does not listen\n")
    assert port.get("/livez")[0] == 200
    port.listens = True
    three_talk(port)
    assert port.get("/readyz")[0] == 200
    port.house.clock.rightNow += ON_TIME + 0.1  # time goes by, and nothing is called
    assert port.get("/readyz")[0] == 503
    assert port.get("/livez")[0] == 200
    port.house.clock.advance(0)  # the beat comes, late: in a turn of the reactor this is what there is to see
    assert port.house.hub.ticker.due_in() > 0
    assert re.fullmatch(r"the beat is 0\.1\d s late\n", port.get("/readyz")[1])
    port.house.pass_ticks(2)
    assert port.get("/readyz") == (200, "ok\n")


def test_alive_is_whose_beat_is_not_overdue(port: Port) -> None:
    three_talk(port)
    port.house.clock.rightNow += OVERDUE + 0.1
    assert port.get("/livez") == (503, "the beat is overdue\n")
    assert port.counted(HealthAnswer.FAILING) == 1
    port.house.pass_ticks(2)
    assert port.get("/livez") == (200, "ok\n")


# -- the option ---------------------------------------------------------------------------

PASSWORD = ("--password", "a password of four words")


def options(*words: str) -> Options:
    made = Options()
    made.parseOptions([*PASSWORD, *words])
    return made


def services(reactor: VoiceReactor, *words: str) -> tuple[MultiService, VoiceService, health.HealthService]:
    parent = makeService(options(*words), reactor)
    voice, told = list(parent)
    assert isinstance(voice, VoiceService)
    assert isinstance(told, health.HealthService)
    return parent, voice, told


def test_without_the_option_there_is_no_such_port() -> None:
    assert len(list(makeService(options(), VoiceReactor()))) == 1


@pytest.mark.parametrize("at", ["127.0.0.1:9464", "[::1]:9464"])
def test_the_port_is_that_address_alone_and_over_with_the_server(at: str) -> None:
    reactor = VoiceReactor()
    parent, voice, told = services(reactor, "--metrics", at)
    parent.privilegedStartService()
    (bound,) = [port for port in reactor.ports if port.number == 9464]
    assert (bound.kind, bound.interface) == ("tcp", at.rpartition(":")[0].strip("[]"))
    assert not voice.warnings
    asking = told.factory.buildProtocol(None)
    assert asking is not None
    transport = Transport()
    asking.makeConnection(transport)
    told.running = 1
    told.stopService()
    assert not bound.open
    assert transport.aborted


@pytest.mark.parametrize("at", ["0.0.0.0:9464", "192.0.2.7:9464", "[::]:9464"])
def test_a_port_that_others_reach_is_taken_with_a_warning(at: str) -> None:
    _, voice, _ = services(VoiceReactor(), "--metrics", at)
    (warning,) = voice.warnings
    assert warning.startswith(f"--metrics {at}: whoever reaches this port")


@pytest.mark.parametrize(
    "at", ["9464", ":9464", "localhost:9464", "127.0.0.1", "127.0.0.1:65536", "::1:9464", "1.2.3.4:x"]
)
def test_what_is_no_address_with_a_port_is_told_in_a_line(at: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        options("--metrics", at)
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "127.0.0.1:9464 or [::1]:9464" in told


def test_who_has_not_installed_it_is_told_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("voicechat.server.tap.NEEDED_BY_METRICS", ("h11", "no_such_module"))
    options()  # nobody asks for it
    with pytest.raises(SystemExit) as end:
        options("--metrics", "127.0.0.1:9464")
    assert end.value.code == 78
    assert capsys.readouterr().err.endswith("needs what is not installed: pip install 'voicechat[metrics]'\n")


def test_a_port_in_use_is_told() -> None:
    reactor = VoiceReactor({("tcp", "127.0.0.1"): OSError(98, "Address already in use")})
    parent, _, _ = services(reactor, "--metrics", "127.0.0.1:9464")
    with pytest.raises(CannotListen, match=r"cannot listen on 127\.0\.0\.1:9464 \(--metrics\): Address already in use"):
        parent.privilegedStartService()
