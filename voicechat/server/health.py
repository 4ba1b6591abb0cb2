"""Figures and health over HTTP, for machines that look on: ``--metrics 127.0.0.1:9464``.

| request | answer |
|---|---|
| GET /metrics | 200 and the text for Prometheus, made in this turn of the reactor; 503 if it is asked too often |
| GET /livez | 200 unless a beat of the mix is more than a second late (the watchdog's test), then 503: start it anew |
| GET /readyz | 200 if the server listens and its beat is on time, else 503: send nobody here |

All else is 404 or 400. A port of its own, since who may read figures is not who may talk: there is no
password, so it is meant for this machine, or for a network that only its owner reaches. A connection
brings one request and is closed; how many there are, and how long each takes, is bounded.
"""

import ipaddress
from collections.abc import Callable
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from voicechat.carriage.clock import Timer
from voicechat.carriage.http import Exchange, HttpAnswer
from voicechat.errors import WireError
from voicechat.format import TICK_SECONDS
from voicechat.media.ticks import MOST_AT_ONCE
from voicechat.server.exposition import CONTENT_TYPE, Exposition
from voicechat.server.hub import Hub
from voicechat.server.listening import Place, cannot_listen
from voicechat.server.metrics import HealthAnswer
from voicechat.server.options import address_and_port
from voicechat.server.ports import Prober
from voicechat.server.service import CannotListen
from voicechat.server.supervision import alive
from voicechat.session.bucket import Bucket

MOST_ASKING: Final = 8
"""Connections at once: a Prometheus or two, what looks after health, and a person. As many wait in the kernel."""

ASKING_SECONDS: Final = 5.0
"""From the connection to the end of the answer. Who asks sits nearby, and Prometheus itself waits 10 s."""

ASKED_A_SECOND: Final = 50.0
ASKED_BURST: Final = 100.0
"""Connections: those beyond are closed unread. To ask for health costs 0.2 ms of CPU, so a flood gets 1 % of a core."""

SCRAPES_A_SECOND: Final = 5.0
SCRAPES_BURST: Final = 10.0
"""Prometheus asks each 15 s. A text of 7 KB takes 0.25 ms (measured, mean of 500), a scrape with all that is around it
1 ms: a flood of them gets half a percent of a core."""

ON_TIME: Final = MOST_AT_ONCE * TICK_SECONDS
"""Seconds: a beat that is later than this has others left out, and people hear gaps."""

_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
_FIGURES: Final = (("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store"))


def metrics_place(giver: str, text: str) -> Place:
    """Where figures are told; ``text`` is what ``giver``, an option or a variable, has. `Refused`."""
    host, number = address_and_port(text)

    def listen(opener: Any, factory: Any) -> Any:
        if isinstance(opener, Prober):
            return opener.listenSSL(number, factory, None, MOST_ASKING, host)  # no UDP beside it, as with TLS
        return opener.listenTCP(number, factory, MOST_ASKING, host)

    return Place(f"{text} ({giver})", listen)


def warnings(giver: str, text: str) -> list[str]:
    """What the host should know of such a place."""
    host, _ = address_and_port(text)
    if ipaddress.ip_address(host).is_loopback:
        return []
    return [f"{giver} {text}: whoever reaches this port reads the figures, without a password; keep strangers away"]


class Health:
    """What is answered, and how often. ``listens``: whether the server's ports are open."""

    def __init__(self, hub: Hub, listens: Callable[[], bool]) -> None:
        self._hub = hub
        self._listens = listens
        self._exposition = Exposition(hub.metrics)
        self._scrapes = Bucket(SCRAPES_A_SECOND, SCRAPES_BURST, hub.clock.seconds())
        self._requests = {b"/metrics": self._figures, b"/livez": self._live, b"/readyz": self._ready}

    def answer(self, path: bytes) -> HttpAnswer:
        """The answer to a GET."""
        do = self._requests.get(path)
        return self.text(404, "here are /metrics, /livez and /readyz", HealthAnswer.NOT_FOUND) if do is None else do()

    def text(self, status: int, line: str, counted: HealthAnswer) -> HttpAnswer:
        """A line."""
        self.count(counted)
        return HttpAnswer(status, _TEXT, f"{line}\n".encode())

    def count(self, what: HealthAnswer) -> None:
        """One request more."""
        self._hub.metrics.health_requests_total[what].value += 1

    def _figures(self) -> HttpAnswer:
        if not self._scrapes.take(self._hub.clock.seconds()):
            return self.text(503, "asked too often; once a second is enough", HealthAnswer.TOO_OFTEN)
        self.count(HealthAnswer.METRICS)
        return HttpAnswer(200, _FIGURES, self._exposition.text())

    def _live(self) -> HttpAnswer:
        return self._is("" if alive(self._hub) else "the beat is overdue")

    def _ready(self) -> HttpAnswer:
        if not self._listens():
            return self._is("the server does not listen")
        late = self._hub.ticker.late
        return self._is(f"the beat is {late:.2f} s late" if late > ON_TIME else "")

    def _is(self, wrong: str) -> HttpAnswer:
        if wrong:
            return self.text(503, wrong, HealthAnswer.FAILING)
        return self.text(200, "ok", HealthAnswer.OK)


class HealthProtocol(Protocol):
    """One connection: a request, its answer, the end."""

    transport: Any

    def __init__(self, factory: "HealthFactory", hub: Hub, health: Health) -> None:
        self._factory = factory
        self._hub = hub
        self._health = health
        self._exchange: Exchange | None = Exchange()
        """None when it was answered: what comes then is not looked at."""
        self._deadline = Timer(hub.clock, self._too_slow)

    def connectionMade(self) -> None:
        """The time runs."""
        self._deadline.start(ASKING_SECONDS)

    def dataReceived(self, data: bytes) -> None:
        """A part of the request. A fault of ours ends this connection and no other."""
        if self._exchange is None:
            return
        try:
            answer = self._answer(self._exchange, data)
            if answer is not None:
                self.transport.write(self._exchange.answered(answer))
                self._exchange = None
                self.transport.loseConnection()
        except Exception:  # noqa: BLE001  told in the log
            self._hub.events.failure("a fault in telling figures or health", self._hub.clock.seconds())
            self.transport.abortConnection()

    def _answer(self, exchange: Exchange, data: bytes) -> HttpAnswer | None:
        try:
            request = exchange.received(data)
        except WireError as error:
            return self._health.text(400, str(error), HealthAnswer.BAD_REQUEST)
        return None if request is None else self._health.answer(request.path)

    def _too_slow(self) -> None:
        self._health.count(HealthAnswer.TOO_SLOW)
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Its place is free."""
        self._deadline.stop()
        self._factory.asking.discard(self)


class HealthFactory(ServerFactory):
    """Makes a protocol for each connection, of which there are MOST_ASKING at once."""

    noisy = False

    def __init__(self, hub: Hub, health: Health) -> None:
        self._hub = hub
        self._health = health
        self._allowed = Bucket(ASKED_A_SECOND, ASKED_BURST, hub.clock.seconds())
        self.asking: set[HealthProtocol] = set()
        """Those that are here."""

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """One, or None: the connection is closed."""
        if len(self.asking) >= MOST_ASKING or not self._allowed.take(self._hub.clock.seconds()):
            self._health.count(HealthAnswer.TOO_MANY)
            return None
        asking = HealthProtocol(self, self._hub, self._health)
        self.asking.add(asking)
        return asking


class HealthService(Service):
    """The port, from start to stop. ``listens``: whether those of the server are open."""

    def __init__(self, reactor: Any, hub: Hub, place: Place, listens: Callable[[], bool]) -> None:
        self._reactor = reactor
        self._hub = hub
        self._place = place
        self.factory = HealthFactory(hub, Health(hub, listens))
        self._port: Any = None

    def privilegedStartService(self) -> None:
        """Bind before twistd gives up root's rights. CannotListen."""
        try:
            self._port = self._place.open(self._reactor, self.factory)
        except (CannotListenError, OSError) as error:
            raise CannotListen(f"voicechat: {cannot_listen(self._place, error)}") from None

    def startService(self) -> None:
        """Bound; say where."""
        if self._port is None:
            self.privilegedStartService()
        super().startService()
        at = self._port.getHost()
        host = f"[{at.host}]" if ":" in at.host else at.host
        self._hub.events.server(f"figures at http://{host}:{at.port}/metrics")

    def stopService(self) -> None:
        """Listen no more, and wait for nobody."""
        super().stopService()
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
        for asking in list(self.factory.asking):
            asking.transport.abortConnection()
