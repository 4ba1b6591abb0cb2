"""``twistd voicechat``: options, and the service made from them.

Options come from the command line, else from ``VOICECHAT_*`` in the environment,
else from the defaults of `options.OPTIONS`. Whatever a user can get wrong is told in one line.
"""

import os
import signal
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import msgspec
from twisted.application.service import MultiService
from twisted.internet.error import CannotListenError

from voicechat import garbage
from voicechat.carriage.clock import monotonic_reactor
from voicechat.errors import ConfigError, VoiceChatError
from voicechat.options.option import COMPLETION, Program
from voicechat.server import sinks, twistd, web
from voicechat.server.hosting import HostOptions
from voicechat.server.lean import load_sockets
from voicechat.server.limits import MOST_SEATS, Limits
from voicechat.server.log import LoggedServices, PatientLog, of_twistd
from voicechat.server.options import BECAUSE, OPTIONS, ServerExit, limit
from voicechat.server.proxies import Proxies, network

if TYPE_CHECKING:
    from voicechat.server.listening import Place

_APART: Final = ("password", "password-file", "state", "public-host", "listen", "limit", COMPLETION.name)
"""Options that are not settled one by one."""


NEEDED_BY_METRICS: Final = ("h11", "prometheus_client")
"""What the extra `metrics` installs."""


class Options(HostOptions):
    """What the host may choose."""

    line = staticmethod(sinks.classic)
    """How an event is written to the log, where that is a stream."""
    asks = False
    """Whether a host who sits at a terminal is asked what only they can know."""
    probes = False
    """Whether ports can be had is tried before there is a log."""

    command = "twistd voicechat"
    longdesc = (
        "A voice chat server for a few friends. Forward the port for TCP and UDP on your router.\n"
        "The options of twistd itself stand before the word voicechat."
    )

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, float] = {}
        """What --limit changed."""
        self.places: list[Place] = []
        """Where to listen."""
        self.metrics_place: Place | None = None
        """Where figures and health are told; None for nowhere."""
        self.log: PatientLog | None = None
        """The log of the application that is to be made; None where somebody else sees to it."""
        self.to_invite = ""
        """Told when it listens: how the host gets a link for their friends."""

    def postOptions(self) -> None:
        """Fill in the environment and the defaults, and check."""
        if self.parent is not None:
            twistd.check(self.parent)
            if self.parent.get("umask", 0) is None:  # what twistd gives daemons; its pidfile is nobody else's to write
                self.parent["umask"] = 0o077
        self.log = self._log()
        givers = {}
        for option in self.table:
            if option.name not in _APART:
                givers[option.name], self[option.name] = self.chosen(option.name)
        self["room-size"] = self["room-size"] or MOST_SEATS
        self["web"] = self["web"] and self._can_serve_browsers(givers["web"])
        self.metrics_place = self._metrics_place(givers["metrics"])
        self.limits = dict(limit(text) for text in self.chosen("limit")[1] or ())
        self.places = self._places([givers[name] for name in ("port", "interface") if givers[name]])
        self.find_password(make=True)
        self["map-port"] = self["map-port"] if givers["map-port"] else self._host_wants_port_mapped()
        if self.probes or (self.parent is not None and not self.parent.get("nodaemon", True)):
            self._probe()

    def _host_wants_port_mapped(self) -> bool:
        """What the host said once, in the state folder."""
        from voicechat.server.router import choice

        folder = self.folder_if_any()
        if folder is None:
            return False
        return choice.asked(folder, self["port"]) if self.asks else bool(choice.remembered(folder))

    def _log(self) -> PatientLog | None:
        """The log that twistd is asked for; None where it is not ours to make."""
        if self.parent is None or self.parent["logger"]:
            return None
        if self.parent["logfile"] == "-" and not self.parent.get("nodaemon", True):
            self.fail(ServerExit.FAILURE, "a daemon has no standard output to log to: give -n, or --logfile FILE")
        try:
            log = of_twistd(self.parent, self.line)
        except OSError as error:
            self.fail(
                ServerExit.CONFIG,
                f"cannot write the log file {self.parent['logfile'] or 'twistd.log'}: {error.strerror}",
            )
        with suppress(AttributeError):  # where there is no such signal
            if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
                signal.signal(signal.SIGUSR1, lambda *_: log.rotate())
        return log

    def _can_serve_browsers(self, giver: str) -> bool:
        """What that takes is installed; whoever asks for it and has it not is told."""
        there = web.installed()
        if giver and not there:
            self.fail(ServerExit.CONFIG, f"{giver} needs what is not installed: pip install 'voicechat[web]'")
        return there

    def _metrics_place(self, giver: str) -> "Place | None":
        """Where figures are told, if anywhere; who asks for it and has not what it takes is told."""
        if not giver:
            return None
        if not all(find_spec(name) is not None for name in NEEDED_BY_METRICS):
            self.fail(ServerExit.CONFIG, f"{giver} needs what is not installed: pip install 'voicechat[metrics]'")
        load_sockets()
        from voicechat.server.health import metrics_place, warnings

        self.warnings += warnings(giver, self["metrics"])
        return metrics_place(giver, self["metrics"])

    def _places(self, others: list[str]) -> "list[Place]":
        """Where to listen; ``others``: who gives --port and --interface, where the command line beats variables."""
        load_sockets()
        from voicechat.server.listening import WrongString, by_string, on_port  # makes much to import

        giver, strings = self.chosen("listen")
        typed = [other for other in others if other.startswith("--")]
        if giver.startswith("--"):
            others = typed
        elif typed:
            strings = None
        if not strings:
            return [on_port(self["port"], self["interface"])]
        if others:
            self.fail(
                ServerExit.USAGE, f"{giver} says where to listen, and {' and '.join(others)} too: give one of them"
            )
        try:
            return [by_string(text) for text in strings]
        except WrongString as error:
            self.fail(ServerExit.USAGE, f"{giver} {error}")
        except ConfigError as error:
            self.fail(ServerExit.CONFIG, f"{giver} {error}")

    def _probe(self) -> None:
        """A daemon is told of by twistd in 100 bytes: whether its ports can be had is tried before there is one."""
        from voicechat.server.listening import cannot_listen
        from voicechat.server.ports import Prober

        for place in [*self.places, *filter(None, [self.metrics_place])]:
            try:
                place.open(Prober(), None)
            except (CannotListenError, OSError) as error:
                self.fail(ServerExit.FAILURE, cannot_listen(place, error))


PROGRAM: Final = Program("twistd voicechat", OPTIONS, {}, BECAUSE)
"""What docs/reference.md is told of it."""


def makeService(options: Options, reactor: Any = None) -> MultiService:
    """The whole server as a service: the hub, and the port that it listens on."""
    from voicechat.codecs.opus import OpusCodec
    from voicechat.server.hub import Hub
    from voicechat.server.oneport import carried
    from voicechat.server.router import memory
    from voicechat.server.service import VoiceService
    from voicechat.server.supervision import Supervision, fed_each, notifier

    try:
        clock: Any = reactor if reactor is not None else monotonic_reactor()
    except OSError as error:  # no descriptor left for it
        options.fail(ServerExit.FAILURE, f"cannot begin: {error.strerror}")
    if reactor is None:
        clock.callWhenRunning(garbage.keep_what_is_loaded)
    seats = Limits(max_clients=options["max-clients"], room_size=options["room-size"])
    limits = msgspec.structs.replace(seats, **options.limits)
    try:
        codec = OpusCodec(options["complexity"])
    except VoiceChatError as error:
        options.fail(ServerExit.CONFIG, str(error))
    hub = Hub(
        clock,
        codec,
        options["password"],
        limits=limits,
        bitrate=options["bitrate"],
        high_bitrate=options["high-bitrate"],
        always_mix=options["mixing"] == "always",
    )
    hub.takes_offers = options["web"] and web.takes_offers()
    parent = MultiService() if options.log is None else LoggedServices(options.log)
    if options.log is not None:
        clock.addSystemEventTrigger("after", "shutdown", options.log.end)
    browsers = web.Web(hub) if options["web"] else None
    entrance = carried(browsers, Proxies([network(text) for text in options["trusted-proxy"] or ()]))
    service = VoiceService(clock, hub, options.places, options["password-file"], entrance)
    if reactor is None:
        service.expect_signals()
    service.warnings = options.warnings
    service.outer = options.outer("public-host")
    service.to_invite = options.to_invite
    service.state_folder = options.kept_in
    folder = options.folder_if_any()
    if options["map-port"] or memory.is_left(folder):
        from voicechat.server.router.outside import Outside

        service.outside = Outside(clock, folder, hub.events.server, service.port_from_outside)
        service.maps_port = options["map-port"]
    service.kick_on_reload = options["kick-on-reload"]
    notify = notifier(os.environ)
    if notify is not None:
        service.supervision = Supervision(clock, hub, notify, fed_each(os.environ))
    service.setServiceParent(parent)
    if options.metrics_place is not None:
        from voicechat.server.health import HealthService

        HealthService(clock, hub, options.metrics_place, lambda: service.listens).setServiceParent(parent)
    return parent
