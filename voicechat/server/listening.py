"""Where the server listens: a port, or what a string of Twisted's says (``--listen``).

Each `ListeningPorts` is a way in of its own: what connections come by, and UDP on the same number
where there is one. All lead to one hub; a client is told the UDP port of the way it came by.

Strings are those of `twisted.internet.endpoints.serverFromString`. A plain port needs none of
them, and that module costs: it imports pyOpenSSL where that is installed. So it is imported
for a string only, and both open their ports by `ports.Opener`, which an endpoint takes for its
reactor.

With systemd's socket activation (sd_listen_fds(3)) a string names the socket of the stream;
the datagrams' is found by its address among those that came with it.
"""

import errno
import os
import socket
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from twisted.python.systemd import ListenFDs

from voicechat.errors import ConfigError
from voicechat.server.factory import Carried, VoiceServerFactory, by_strings
from voicechat.server.hub import Hub
from voicechat.server.ports import LISTEN, Checker, Opener, Prober

if TYPE_CHECKING:
    from twisted.internet.endpoints import AdoptedStreamServerEndpoint

MOST_INHERITED: Final = 64
"""Sockets that systemd may hand over; LISTEN_FDS may say anything."""


_WRONG: Final = "{!r} is no endpoint to listen on, such as tcp:1234 or tcp6:1234: {}"


class WrongString(Exception):
    """A string that means nothing, or nothing that we could listen on."""


class Place(NamedTuple):
    """Where to listen; ``name`` is told if that cannot be."""

    name: str
    open: Callable[[Any, Any], Any]
    """Called with an `Opener`, or a `Prober`, and a factory. CannotListenError or OSError if it cannot be."""
    six: bool = False
    """To be opened after those of IPv4, beside which it has to be IPv6's alone."""


def on_port(number: int, interface: str = "") -> Place:
    """A number, of one address or of all."""

    def listen(opener: Opener | Prober, factory: VoiceServerFactory) -> None:
        if interface:
            opener.listenTCP(number, factory, LISTEN, interface)
        else:
            opener.everywhere(number)

    return Place(f"port {number}" + (f" of {interface}" if interface else ""), listen)


def by_string(text: str) -> Place:
    """What a string says. WrongString if it says nothing; ConfigError if what it names is not there."""
    for_systemd = text.startswith("systemd:")
    inherited()  # before the endpoints, which take it out of the environment
    if not for_systemd:
        _result(_endpoint(Checker(), text).listen(Factory()), text)
    opener = _Later()
    endpoint = _endpoint(opener, text)
    if for_systemd:
        _see_to_stream(endpoint, text)

    def listen(real: Opener | Prober, factory: VoiceServerFactory) -> None:
        opener.real = real
        if for_systemd:
            if isinstance(real, Prober):
                return  # it is open, and its endpoint gives it once
            real.inherited = [one.sock for one in inherited() if one.sock.type == socket.SOCK_DGRAM]
        _result(endpoint.listen(factory), text)

    return Place(text, listen, text.startswith("tcp6:"))


def cannot_listen(place: Place, error: Exception) -> str:
    """Why a port could not be opened, and what to do."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    taken = getattr(cause, "errno", None) == errno.EADDRINUSE
    advice = "; is another server running?" if taken else ""
    if taken and place.name.startswith("port "):
        advice += " --port takes another"
    return f"cannot listen on {place.name}: {_in_words(cause)}{advice}"


def _in_words(error: Any) -> str:
    words = getattr(error, "strerror", None) or str(error)
    file = getattr(error, "filename2", None) or getattr(error, "filename", None)
    return f"{words}: {file}" if file else words


class _Later:
    """Stands for the opener that there will be: an endpoint keeps what it is given for a reactor."""

    real: Opener | Prober

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def _endpoint(opener: Any, text: str) -> Any:
    from twisted.internet.endpoints import serverFromString

    try:
        return serverFromString(opener, text)
    except OSError as error:  # a key, or a certificate
        raise ConfigError(f"{text}: {error.strerror}: {error.filename}") from None
    except ImportError as error:
        raise ConfigError(f"{text}: this needs the package {error.name or error}") from None
    except (IndexError, KeyError) as error:
        if text.startswith("systemd:"):
            raise ConfigError(f"{text}: systemd passed no such socket (it passed {len(inherited())})") from None
        raise WrongString(_WRONG.format(text, error)) from None
    except TypeError:
        raise WrongString(_WRONG.format(text, "an argument is missing, or not known")) from None
    except Exception as error:  # noqa: BLE001  whatever the parsers of strings, some of them plugins, may raise
        if type(error).__module__.startswith("OpenSSL"):
            raise ConfigError(f"{text}: the key or the certificate cannot be used") from None
        raise WrongString(_WRONG.format(text, error)) from None


def _result(deferred: Any, text: str) -> None:
    """What an endpoint's listening comes to. Those that take their time are none for us."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    if not results:
        raise WrongString(_WRONG.format(text, "it does not listen at once"))
    if isinstance(results[0], Failure):
        error = results[0].value
        if isinstance(error, CannotListenError | OSError):
            raise error
        raise WrongString(_WRONG.format(text, error))


# -- systemd --------------------------------------------------------------------------


class Inherited(NamedTuple):
    """A socket that systemd opened for us. Ours is a copy of ``number``'s."""

    number: int
    name: str
    sock: socket.socket


@cache
def inherited() -> Sequence[Inherited]:
    """What systemd passed, in its order."""
    environ = os.environ
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return ()
    count = environ.get("LISTEN_FDS", "")
    if not (count.isascii() and count.isdigit() and len(count) < 4 and int(count) <= MOST_INHERITED):
        return ()
    # Twisted needs the names, which not all launchers give; the word for none is sd_listen_fds_with_names(3)'s
    names = environ.setdefault("LISTEN_FDNAMES", ":".join(["unknown"] * int(count))).split(":")
    found = ListenFDs.fromEnvironment(dict(environ)).inheritedDescriptors()
    try:
        return [
            Inherited(number, name, socket.socket(fileno=os.dup(number)))
            for number, name in zip(found, names, strict=False)  # Twisted takes none if they differ
        ]
    except OSError as error:
        raise ConfigError(f"what systemd passed is no socket: {error.strerror}") from None


def _see_to_stream(endpoint: "AdoptedStreamServerEndpoint", text: str) -> None:
    """See to it that a string has the stream of its name, which datagrams bear, too. ConfigError if there is none."""
    named = next((one for one in inherited() if one.number == endpoint.fileno), None)
    alike = [one for one in inherited() if named is not None and "name=" in text and one.name == named.name]
    streams = [one for one in alike or (named,) if one is not None and one.sock.type == socket.SOCK_STREAM]
    if not streams:
        raise ConfigError(f"{text}: systemd passed a socket that takes no connections; it needs ListenStream=")
    stream = streams[0]
    if stream.sock.family != endpoint.addressFamily:
        given = stream.sock.family.name.removeprefix("AF_")
        raise ConfigError(f"{text}: the socket that systemd passed has domain={given}")
    if not stream.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ConfigError(f"{text}: the socket that systemd passed does not listen; it needs Accept=no")
    endpoint.fileno = stream.number


# -- opening --------------------------------------------------------------------------


class ListeningPorts:
    """One way in to a hub, open from `open` to `close`."""

    def __init__(self, reactor: Any, hub: Hub, place: Place, carried: Carried = by_strings) -> None:
        self.place = place
        self.factory = VoiceServerFactory(hub, carried)
        self._reactor = reactor
        self._opener: Opener | None = None

    def open(self, taken: Sequence[int] = ()) -> None:
        """Listen. CannotListenError or OSError if that cannot be. ``taken``: numbers that others of ours have."""
        opener = Opener(self._reactor, self.factory, taken)
        self.place.open(opener, self.factory)
        self._opener = opener

    def refuse(self) -> None:
        """Take no more connections."""
        if self._opener is not None:
            self._opener.refuse()

    def close(self) -> None:
        """Take no more connections, and no datagrams."""
        opener, self._opener = self._opener, None
        if opener is not None:
            opener.close()

    @property
    def port(self) -> int | None:
        """The number of the TCP port; None while there is none."""
        return getattr(self._host(), "port", None)

    @property
    def announcement(self) -> str:
        """What the log says when it is open."""
        return f"listening on port {self.port}" if self.port is not None else f"listening on {self.place.name}"

    def _host(self) -> Any:
        return self._opener.opened[0].getHost() if self._opener is not None else None
