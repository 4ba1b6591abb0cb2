"""The server as a Twisted service: bind, obey signals, say goodbye.

Everything that can only be done with a real reactor is here: the listening port,
and signals. What was ignored at the start stays so.

| signal | what it does |
|---|---|
| SIGTERM | say goodbye, end with status 0 (twistd would with 143) |
| SIGINT | say goodbye, end as twistd does; once the end has begun, nothing |
| SIGHUP | read the password file again; from a terminal that is gone, the same as SIGTERM |
| SIGUSR2 | read the password file again; under nohup, where SIGHUP is ignored, too |
| SIGTTOU | nothing: in the background of a terminal with `stty tostop`, a log line would stop the whole server |
"""

import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater

from voicechat import __version__, passwords, standard
from voicechat.errors import ConfigError
from voicechat.invite import Invite
from voicechat.server import state
from voicechat.server.factory import Carried, by_strings
from voicechat.server.hub import Hub
from voicechat.server.listening import ListeningPorts, Place, WrongString, cannot_listen
from voicechat.server.supervision import Supervision
from voicechat.server.terminal import LOOK_EACH, Terminal
from voicechat.wire import handshake

if TYPE_CHECKING:
    from voicechat.server.router.outside import Outside

GOODBYE_SECONDS: Final = 0.5
"""What is left of the connections after the goodbyes is aborted then; a client on another continent is 0.3 s away."""

LOOK_AGAIN: Final = (0.5, 1.5, 3.0)
"""Seconds after SIGHUP at which the terminal may have gone: some (xterm) send it first, and close the window then."""


NO_PORT: Final = "there is no port that the router could open"
"""Told where the server listens on none of TCP."""

VERSION: Final = f"voicechat {__version__}, protocol {handshake.VERSION}"
"""Told first: what a report of a fault begins with."""


class CannotListen(SystemExit, Exception):
    """Ends twistd with one line. An Exception as well: as a daemon, twistd waits for ever for one that is none."""


class VoiceService(Service):
    """One hub, and the ways in to it."""

    warnings: Sequence[str] = ()
    """Told in the log at start."""
    outer: tuple[str, int | None] = ("", None)
    """By which name or address, and port if it is another, friends reach it from outside; told when it listens."""
    state_folder: Path | None = None
    """Where the port is kept for whoever prints invitations."""
    to_invite = ""
    """Told when it listens: how the host gets a link for their friends."""
    outside: "Outside | None" = None
    """The router, if it is to be asked, or something is to be taken back."""
    maps_port = False
    """The router is asked to open the port."""
    kick_on_reload = False
    """A password that has changed at SIGHUP ends the sessions that began with the old one."""
    terminal: Terminal
    """Where it was started."""
    supervision: Supervision | None = None
    """Who is to be told that the server is ready, alive and stopping."""

    def __init__(
        self,
        reactor: Any,
        hub: Hub,
        places: Sequence[Place],
        password_file: str | None,
        carried: Carried = by_strings,
    ) -> None:
        self._reactor = reactor
        self.hub = hub
        # IPv4's come first, so that IPv6's can stand beside them
        self.listeners = [
            ListeningPorts(reactor, hub, place, carried) for place in sorted(places, key=lambda place: place.six)
        ]
        named = None if password_file in (None, "-") else Path(str(password_file)).expanduser()
        self._password_file = None if named is None else str(named.resolve())  # a daemon goes elsewhere
        self._bound = self._ends = False

    @property
    def port(self) -> int:
        """The first port listened on, also when 0 was asked for; 0 if there is none."""
        return next((listener.port for listener in self.listeners if listener.port), 0)

    @property
    def listens(self) -> bool:
        """Its ports are open, and it does not end."""
        return self._bound and bool(self.running) and not self._ends

    def privilegedStartService(self) -> None:
        """Bind before twistd gives up root's rights."""
        try:
            for listener in self.listeners:
                try:
                    listener.open([other.port for other in self.listeners if other.port])
                except (CannotListenError, OSError, WrongString) as error:  # OSError: of /dev/null, which Twisted needs
                    raise CannotListen(f"voicechat: {cannot_listen(listener.place, error)}") from None
        except CannotListen:
            self._close()
            raise
        self._bound = True

    def _close(self) -> None:
        for listener in self.listeners:
            listener.close()

    def startService(self) -> None:
        """Bound; from now on signals are ours."""
        if not self._bound:
            self.privilegedStartService()
        super().startService()
        self.terminal = Terminal()  # not before: a daemon has left the one that it was started in
        self._when_twisted_has_its_signals(self._obey_signals, signal.getsignal(signal.SIGTERM))
        host, port = self.outer
        outer = f"friends reach it at {Invite(host, port or self.port).link()}" if host else ""
        said = [VERSION, *self.warnings, *(listener.announcement for listener in self.listeners), outer, self.to_invite]
        if self.maps_port and self.outside is not None:
            said.insert(1, f"asking the router to open port {self.port}" if self.port else NO_PORT)
        for line in filter(None, said):
            self.hub.events.server(line)
        if self.state_folder is not None and self.port:
            with suppress(OSError):  # a folder that is read-only; then it is to be named
                state.remember_port(self.state_folder, self.port)
        if self.outside is not None:
            ask = partial(self.outside.start, self.port) if self.maps_port and self.port else self.outside.take_back
            self._reactor.callWhenRunning(ask)
        if self.supervision is not None:
            self._reactor.callWhenRunning(self.supervision.ready)

    def stopService(self) -> Deferred[None]:
        """Stop listening, say goodbye to all, and give the goodbyes a moment to leave."""
        super().stopService()
        if self.supervision is not None:
            self.supervision.stopping()
        for listener in self.listeners:
            listener.refuse()
        someone = bool(self.hub.seats) or bool(len(self.hub.admission))
        self.hub.close()
        self._close()
        goodbye = cast(Deferred[None], deferLater(self._reactor, GOODBYE_SECONDS if someone else 0.0, lambda: None))
        if self.outside is not None:
            taken_back = self.outside.stop()
            goodbye.addCallback(lambda _: taken_back)
        return goodbye.addCallback(lambda _: self.hub.events.close())

    def port_from_outside(self, port: int | None) -> None:
        """The number by which the router passes on to the first port; None if it does not."""
        for listener in self.listeners:
            if listener.port == self.port:
                listener.factory.datagrams.outer = port

    def reload(self) -> None:
        """Read the password file again; whoever is in stays in, unless `kick_on_reload`."""
        if self._password_file is None:
            self.hub.events.server("no password file to read again")
            return
        try:
            self.hub.change_password(passwords.from_file_again(self._password_file), kick=self.kick_on_reload)
        except ConfigError as error:
            self.hub.events.server(f"the old password stays: {error}")
        else:
            self.hub.events.server("the password file was read again")
            for warning in passwords.warnings(self.hub.password, self._password_file):
                self.hub.events.server(warning)

    def hang_up(self) -> None:
        """SIGHUP: by hand it asks for the password to be read again; from a terminal that is gone it is the end."""
        if not self._end_without_terminal():
            self.reload()
            for seconds in LOOK_AGAIN:
                self._reactor.callLater(seconds, self._end_without_terminal)

    def _end_without_terminal(self) -> bool:
        if self.terminal.gone:
            self._stop("the terminal was closed: this is the end")
        return self.terminal.gone

    def watch_terminal(self) -> None:
        """Some get no SIGHUP whose window is closed."""
        if self.terminal.taken_from_us:
            self._stop("the terminal was closed: this is the end")
        else:
            self._reactor.callLater(LOOK_EACH, self.watch_terminal)

    def _when_twisted_has_its_signals(self, *call: Any) -> None:
        """At once, and before all else that waits for the reactor to run: until then SIGTERM is Twisted's, and 143."""
        if self._reactor.running:
            self._reactor.callWhenRunning(*call)
        else:
            self._reactor.addSystemEventTrigger("during", "startup", *call)

    def expect_signals(self) -> None:
        """What a signal asks for before the reactor runs is done when it does; "listening" is told a little before."""
        asked = {"SIGTERM": self._stop, "SIGHUP": self.hang_up, "SIGUSR2": self.reload}
        with suppress(ValueError):  # not in the main thread: somebody else's process, somebody else's signals
            for name, do in asked.items():
                if hasattr(signal, name):
                    standard.obey(getattr(signal, name), lambda *_, do=do: self._reactor.callFromThread(do))

    def _obey_signals(self, sigterm: Any) -> None:
        """Called when Twisted has set its own; ``sigterm`` is what stood there before."""
        with suppress(ValueError):
            signal.signal(signal.SIGTERM, sigterm)
            self.expect_signals()
            interrupt = signal.getsignal(signal.SIGINT)
            if callable(interrupt):
                signal.signal(signal.SIGINT, partial(self._interrupted, interrupt))
            if hasattr(signal, "SIGTTOU"):
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            if self.terminal.was_there and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                self.watch_terminal()

    def _interrupted(self, obey: Callable[[int, Any], object], number: int, frame: Any) -> None:
        """SIGINT: the first is Twisted's to ``obey``, which tells a reactor that stops of a fault at each further."""
        if self.running and not self._ends:
            self._ends = True
            obey(number, frame)

    def _stop(self, why: str = "") -> None:
        """Once."""
        if self.running and not self._ends:
            self._ends = True
            if why:
                self.hub.events.server(why)
            self._reactor.stop()
