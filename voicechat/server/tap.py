"""``twistd voicechat``: options, and the service made from them.

Options come from the command line, else from ``VOICECHAT_*`` in the environment,
else from the defaults below. Whatever a user can get wrong is told in one line.
"""

import ipaddress
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

import msgspec
from twisted.application.service import MultiService
from twisted.python import usage

from voicechat import garbage, passwords, standard
from voicechat.carriage.clock import monotonic_reactor
from voicechat.errors import ConfigError, VoiceChatError
from voicechat.hiding import hide
from voicechat.media.quality import HIGH_BITRATE, HIGHEST_BITRATE, LOWEST_BITRATE, MIX_COMPLEXITY, NORMAL_BITRATE
from voicechat.plain import variable
from voicechat.security.secret import Secret
from voicechat.server import twistd
from voicechat.server.limits import MOST_SEATS, Limits
from voicechat.server.log import LoggedServices, PatientLog, of_twistd

if TYPE_CHECKING:
    from voicechat.server.listening import Place

FAILURE: Final = 1
USAGE: Final = 2
CONFIG: Final = 78
INTERRUPTED: Final = 130

_OWN_OPTION: Final = ("max_clients", "room_size")
"""Limits that --limit does not set, because an option does."""


_BITRATES: Final = (LOWEST_BITRATE, HIGHEST_BITRATE)

LONGEST_SHOWN: Final = 40
"""Characters of a text that was refused: enough to know it again."""

_YES: Final = ("yes", "true", "on", "1")
_NO: Final = ("no", "false", "off", "0")


def _variable(name: str) -> str:
    """Where the environment has an option."""
    return "VOICECHAT_" + name.upper().replace("-", "_")


def shown(text: str | None) -> str:
    """A text that was refused, for a person: short, and in one line."""
    return repr(text and text[:LONGEST_SHOWN])


def fail(code: int, text: str) -> NoReturn:
    """End with one line on standard error."""
    standard.warn(f"voicechat: {text}\n")
    raise SystemExit(code)


class Options(usage.Options):
    """What the host may choose."""

    synopsis = "twistd [-n] voicechat [options]"
    longdesc = (
        "A voice chat server for a few friends. Each option but --limit can also be given as VOICECHAT_OPTION in "
        "the environment, e.g. VOICECHAT_MAX_CLIENTS=6. Forward the port for TCP and UDP on your router."
    )
    optParameters: ClassVar[list[list[Any]]] = [
        ["password", None, None, "The password of all friends (better: --password-file; wiped from the process list)."],
        ["password-file", None, None, "A file with the password; - is standard input. SIGHUP reads it again."],
        ["port", "p", None, "The TCP and UDP port. [default: 1234]"],
        ["interface", "i", None, "The address to listen on. [default: all, IPv4 and IPv6]"],
        ["listen", None, None, None],  # may be given again: opt_listen takes it, and says what it is
        ["max-clients", None, None, "Seats in all rooms together. [default: 4]"],
        ["room-size", None, None, "Seats in each room. [default: as many as there are in all]"],
        [
            "bitrate",
            "b",
            None,
            f"Bits a second of each voice and mix, {_BITRATES[0]} to {_BITRATES[1]}. [default: {NORMAL_BITRATE}]",
        ],
        [
            "high-bitrate",
            None,
            None,
            f"The same for high quality; never below --bitrate. [default: {HIGH_BITRATE}]",
        ],
        ["complexity", None, None, f"How hard Opus tries at mixes, 0 to 10. [default: {MIX_COMPLEXITY}]"],
        ["mixing", None, None, "auto: forward where one talker is heard; always: mix every row. [default: auto]"],
    ]

    optFlags: ClassVar[list[list[Any]]] = [
        ["kick-on-reload", None, "SIGHUP with a new password ends all sessions, and not only keeps the old one out."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, float] = {}
        """What --limit changed."""
        self.listens: list[str] = []
        """The strings of --listen."""
        self.places: list[Place] = []
        """Where to listen."""
        self.log: PatientLog | None = None
        """The log of the application that is to be made; None where somebody else sees to it."""
        self.warnings: list[str] = []
        """What the host should mend."""

    def parseOptions(self, options: Any = None) -> None:
        """Understand the command line; a mistake is one line and not the whole help."""
        hide()
        standard.open_closed()
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            told = str(error)
            if told.endswith("not recognized"):  # its end may be a password that lost the space before it
                told = "there is no such option"
            fail(USAGE, f"{told}; twistd voicechat --help lists the options")
        except ConfigError as error:
            fail(CONFIG, str(error))
        except KeyboardInterrupt:  # in the midst of reading the password from a terminal or a pipe
            raise SystemExit(INTERRUPTED) from None

    def opt_limit(self, text: str) -> None:
        """NAME=VALUE: change one of the server's limits (docs/security.md has the list); may be given again."""
        name, _, value = text.partition("=")
        known = {field.name: field.type for field in msgspec.structs.fields(Limits)}
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        least = 1.0 if known.get(name) is int else 1e-6
        if name not in known or name in _OWN_OPTION or not least <= number < 1e9:
            names = ", ".join(sorted(set(known).difference(_OWN_OPTION)))
            fail(USAGE, f"--limit NAME=VALUE needs a number above 0 and one of {names}; not {shown(text)}")
        self.limits[name] = int(number) if known[name] is int else number

    def opt_listen(self, text: str) -> None:
        """STRING: an endpoint of Twisted's to listen on in place of --port, e.g. tcp6:1234; may be given again."""
        self.listens.append(text)

    def postOptions(self) -> None:
        """Fill in the environment and the defaults, and check."""
        if self.parent is not None:
            twistd.check(self.parent)
            if self.parent.get("umask", 0) is None:  # what twistd gives daemons; its pidfile is nobody else's to write
                self.parent["umask"] = 0o077
        self.log = self._log()
        given = [f"--{name}" for name in ("port", "interface") if self[name] is not None]
        self["port"] = self._number("port", 1234, 0, 65535)
        self["max-clients"] = self._number("max-clients", 4, 1, MOST_SEATS)
        self["room-size"] = self._number("room-size", MOST_SEATS, 1, MOST_SEATS)
        self["bitrate"] = self._number("bitrate", NORMAL_BITRATE, *_BITRATES)
        self["high-bitrate"] = self._number("high-bitrate", HIGH_BITRATE, *_BITRATES)
        self["complexity"] = self._number("complexity", MIX_COMPLEXITY, 0, 10)
        self["interface"] = self._interface()
        self.places = self._places(given)
        self["mixing"] = self._mixing()
        self["kick-on-reload"] = self._flag("kick-on-reload")
        # a --password is stronger than a file that only the environment names
        self["password-file"] = passwords.file_of(self["password"], self["password-file"], os.environ)
        self["password"] = self._password()

    def _log(self) -> PatientLog | None:
        """The log that twistd is asked for; None where it is not ours to make."""
        if self.parent is None or self.parent["logger"]:
            return None
        if self.parent["logfile"] == "-" and not self.parent.get("nodaemon", True):
            fail(FAILURE, "a daemon has no standard output to log to: give -n, or --logfile FILE")
        try:
            log = of_twistd(self.parent)
        except OSError as error:
            fail(CONFIG, f"cannot write the log file {self.parent['logfile'] or 'twistd.log'}: {error.strerror}")
        with suppress(AttributeError):  # where there is no such signal
            if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
                signal.signal(signal.SIGUSR1, lambda *_: log.rotate())
        return log

    def _text(self, name: str) -> tuple[str, str | None]:
        """What gives an option, and its text; an empty variable gives none."""
        if self[name] is not None:
            return f"--{name}", str(self[name])
        return _variable(name), variable(os.environ, _variable(name)) or None

    def _number(self, name: str, default: int, least: int, most: int) -> int:
        giver, text = self._text(name)
        if text is None:
            return default
        # no number of these has ten digits, and Python refuses to read one of 5 000
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            fail(USAGE, f"{giver} is a number from {least} to {most}, not {shown(text)}")
        return int(text)

    def _interface(self) -> str:
        giver, text = self._text("interface")
        try:
            if text is not None:
                ipaddress.ip_address(text)
        except ValueError:
            fail(USAGE, f"{giver} is an address of this machine, such as 192.0.2.7 or ::1, not {shown(text)}")
        return text or ""

    def _places(self, given: list[str]) -> "list[Place]":
        """Where to listen; ``given``: which of --port and --interface the command line has, which beats variables."""
        from voicechat.server.listening import WrongString, by_string, on_port  # makes much to import

        giver, strings, others = "--listen", self.listens, given
        if not strings and not given:
            giver, strings = _variable("listen"), variable(os.environ, _variable("listen")).split()
            others = [name for name in map(_variable, ("port", "interface")) if variable(os.environ, name)]
        if not strings:
            return [on_port(self["port"], self["interface"])]
        if others:
            fail(USAGE, f"{giver} says where to listen, and {' and '.join(others)} too: give one of them")
        try:
            return [by_string(text) for text in strings]
        except WrongString as error:
            fail(USAGE, f"{giver} {error}")
        except ConfigError as error:
            fail(CONFIG, f"{giver} {error}")

    def _mixing(self) -> str:
        giver, text = self._text("mixing")
        if text not in (None, "auto", "always"):
            fail(USAGE, f"{giver} is auto or always, not {shown(text)}")
        return text or "auto"

    def _flag(self, name: str) -> bool:
        text = variable(os.environ, _variable(name)) or "no"
        if text.lower() not in _YES + _NO:
            fail(USAGE, f"{_variable(name)} is yes or no, not {shown(text)}")
        return bool(self[name]) or text.lower() in _YES

    def _password(self) -> Secret:
        secret = passwords.find(self["password"], self["password-file"], os.environ)
        if secret is None:
            fail(CONFIG, "no password: give --password-file FILE, --password SECRET or $VOICECHAT_PASSWORD")
        self.warnings = passwords.warnings(secret, self["password-file"])
        return secret


def makeService(options: Options, reactor: Any = None) -> MultiService:
    """The whole server as a service: the hub, and the port that it listens on."""
    from voicechat.codecs.opus import OpusCodec
    from voicechat.server.hub import Hub
    from voicechat.server.service import VoiceService
    from voicechat.server.supervision import Supervision, fed_each, telling

    try:
        clock: Any = reactor if reactor is not None else monotonic_reactor()
    except OSError as error:  # no descriptor left for it
        fail(FAILURE, f"cannot begin: {error.strerror}")
    if reactor is None:
        clock.callWhenRunning(garbage.keep_what_is_loaded)
    seats = Limits(max_clients=options["max-clients"], room_size=options["room-size"])
    limits = msgspec.structs.replace(seats, **options.limits)
    try:
        codec = OpusCodec(options["complexity"])
    except VoiceChatError as error:
        fail(CONFIG, str(error))
    hub = Hub(
        clock,
        codec,
        options["password"],
        limits=limits,
        bitrate=options["bitrate"],
        high_bitrate=options["high-bitrate"],
        always_mix=options["mixing"] == "always",
    )
    parent = MultiService() if options.log is None else LoggedServices(options.log)
    if options.log is not None:
        clock.addSystemEventTrigger("after", "shutdown", options.log.end)
    service = VoiceService(clock, hub, options.places, options["password-file"])
    service.warnings = options.warnings
    service.kick_on_reload = options["kick-on-reload"]
    tell = telling(os.environ)
    if tell is not None:
        service.supervision = Supervision(clock, hub, tell, fed_each(os.environ))
    service.setServiceParent(parent)
    return parent
