"""The port, reloading, and saying goodbye."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import VoiceReactor
from tests.server.house import Log
from voicechat.carriage.tcp import StringProtocol
from voicechat.security.secret import Secret
from voicechat.server.eventlog import Event
from voicechat.server.hub import Hub
from voicechat.server.listening import Place, on_port
from voicechat.server.protocol import RemoteClient
from voicechat.server.service import GOODBYE_SECONDS, VoiceService
from voicechat.server.terminal import LOOK_EACH, Terminal
from voicechat.testing import MemoryCodec, VoiceTransport

IN_USE = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
NO_IPV6 = OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


def made(
    reactor: VoiceReactor, *places: Place, port: int = 4321, interface: str = "", file: str | None = None
) -> tuple[VoiceService, Log]:
    from twisted.logger import Logger

    log = Log()
    hub = Hub(reactor, MemoryCodec(), Secret("the first"), log=Logger("test", observer=log))
    return VoiceService(reactor, hub, places or [on_port(port, interface)], file), log


class PortTests(SynchronousTestCase):
    """Binding."""

    def test_it_listens_to_both_families_on_tcp_and_udp(self) -> None:
        reactor = VoiceReactor()
        service, log = made(reactor)
        service.startService()
        assert [(port.kind, port.number, port.interface) for port in reactor.ports] == [
            ("tcp", 4321, "::"),
            ("udp", 4321, "::"),
        ]
        assert service.port == 4321
        assert "listening on port 4321" in log.lines[-1]

    def test_any_free_port_is_the_same_for_both(self) -> None:
        reactor = VoiceReactor()
        service, _ = made(reactor, port=0)
        service.startService()
        assert {port.number for port in reactor.ports} == {40_000}
        assert service.port == 40_000

    def test_an_interface_is_taken_by_its_word(self) -> None:
        reactor = VoiceReactor()
        made(reactor, interface="127.0.0.1")[0].startService()
        assert {port.interface for port in reactor.ports} == {"127.0.0.1"}

    def test_a_machine_without_ipv6_listens_to_ipv4(self) -> None:
        reactor = VoiceReactor({("tcp", "::"): NO_IPV6})
        made(reactor)[0].startService()
        assert [(port.kind, port.interface) for port in reactor.ports] == [("tcp", ""), ("udp", "")]

    def test_a_port_in_use_is_told_in_one_line(self) -> None:
        for refused in ({("tcp", "::"): IN_USE}, {("udp", "::"): IN_USE}):
            reactor = VoiceReactor(refused)
            with pytest.raises(SystemExit) as end:
                made(reactor)[0].startService()
            assert end.value.code == (
                "voicechat: cannot listen on port 4321: Address already in use; "
                "is another server running? --port takes another"
            )
            assert not any(port.open for port in reactor.ports)

    def test_an_interface_that_is_not_ours_is_named(self) -> None:
        reactor = VoiceReactor({("tcp", "192.0.2.1"): OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")})
        with pytest.raises(SystemExit, match=r"port 4321 of 192\.0\.2\.1: Cannot assign"):
            made(reactor, interface="192.0.2.1")[0].startService()

    def test_what_else_it_lacks_is_told_in_one_line(self) -> None:
        """In a root folder without devices, for example: Twisted keeps a descriptor of /dev/null in reserve."""
        reactor = VoiceReactor()

        def listen(*_: object) -> None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", os.devnull)

        reactor.listenTCP = listen  # type: ignore[method-assign, assignment]
        with pytest.raises(SystemExit, match="port 4321: No such file or directory: /dev/null"):
            made(reactor)[0].startService()

    def test_every_warning_is_told_at_the_start(self) -> None:
        service, log = made(VoiceReactor())
        service.warnings = ["something is not as it should be", "nor is something else"]
        service.startService()
        assert "voicechat 0.1.0, protocol 1" in log.lines[0]
        assert "something is not as it should be" in log.lines[1]
        assert "nor is something else" in log.lines[2]


class EndTests(SynchronousTestCase):
    """Stopping."""

    def test_with_nobody_there_it_is_over_at_once(self) -> None:
        reactor = VoiceReactor()
        service, _ = made(reactor)
        service.startService()
        over = service.stopService()
        reactor.advance(0)
        self.successResultOf(over)
        assert not any(port.open for port in reactor.ports)
        assert not reactor.getDelayedCalls()

    def test_a_goodbye_gets_half_a_second(self) -> None:
        reactor = VoiceReactor()
        service, _ = made(reactor)
        service.startService()
        protocol = StringProtocol(
            RemoteClient(service.hub, "192.0.2.1", service.listeners[0].factory.datagrams).connection
        )
        transport = VoiceTransport()
        protocol.makeConnection(transport)
        over = service.stopService()
        assert transport.over
        assert transport.take()
        self.assertNoResult(over)
        reactor.advance(GOODBYE_SECONDS)
        self.successResultOf(over)

    def test_the_log_ends_with_what_it_kept_back(self) -> None:
        reactor = VoiceReactor()
        service, log = made(reactor)
        service.startService()
        for _ in range(8):
            service.hub.events.note(Event.BAD_INPUT, "192.0.2.1", reactor.seconds(), "noise")
        over = service.stopService()
        reactor.advance(GOODBYE_SECONDS)
        self.successResultOf(over)
        assert "7 more lines were kept back like: bad input came from" in log.lines[-1]

    def test_sigterm_stops_the_reactor_once(self) -> None:
        reactor = VoiceReactor()
        service, _ = made(reactor)
        service.startService()
        service._stop()
        assert reactor.hasStopped
        service.stopService()
        reactor.hasStopped = False
        service._stop()
        assert not reactor.hasStopped

    def test_of_several_interrupts_the_reactor_is_told_one(self) -> None:
        """Twisted tells of a fault when it is stopped again, in a traceback; Ctrl-C is easily pressed twice."""
        signals = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGTTOU
        told: list[int] = []
        for number in signals:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        signal.signal(signal.SIGINT, lambda number, _: told.append(number))
        reactor = VoiceReactor()
        service, _ = made(reactor)
        service.startService()
        service._obey_signals(signal.SIG_DFL)
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        service._stop()  # a SIGTERM of the same turn
        assert told == [signal.SIGINT]
        assert not reactor.hasStopped, "the first is Twisted's affair"

    def test_after_sigterm_an_interrupt_says_nothing_new(self) -> None:
        service, _ = made(VoiceReactor())
        service.startService()
        service._stop()
        told: list[int] = []
        service._interrupted(lambda number, _: told.append(number), signal.SIGINT, None)
        assert not told


def test_the_password_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when it was named relative to a folder that has since been left, as a daemon does."""
    (tmp_path / "secret").write_text("the second\n")
    monkeypatch.chdir(tmp_path)
    service, log = made(VoiceReactor(), file="secret")
    monkeypatch.chdir("/")
    service.reload()
    assert service.hub.password == Secret("the second")
    assert "the second" not in "".join(log.lines)


def test_a_password_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    service, log = made(VoiceReactor(), file=str(tmp_path / "gone"))
    service.reload()
    assert service.hub.password == Secret("the first")
    assert "the old password stays" in log.lines[-1]


def at_a_terminal(tmp_path: Path) -> tuple[VoiceReactor, VoiceService, Path]:
    """A service that was started from a terminal, whose way to fail is a socket's: ENXIO."""
    (tmp_path / "secret").write_text("the second\n")
    tty = tmp_path / "tty"
    tty.touch()
    reactor = VoiceReactor()
    service, _ = made(reactor, file=str(tmp_path / "secret"))
    service.startService()
    service.terminal = Terminal(str(tty))
    return reactor, service, tty


def close(tty: Path) -> None:
    tty.unlink()
    with socket.socket(socket.AF_UNIX) as unopenable:
        unopenable.bind(str(tty))


def test_sighup_by_hand_reads_the_password_again(tmp_path: Path) -> None:
    reactor, service, _ = at_a_terminal(tmp_path)
    service.hang_up()
    reactor.advance(60)
    assert service.hub.password == Secret("the second")
    assert not reactor.hasStopped


def test_sighup_from_a_terminal_that_is_gone_is_the_end(tmp_path: Path) -> None:
    reactor, service, tty = at_a_terminal(tmp_path)
    close(tty)
    service.hang_up()
    assert reactor.hasStopped
    assert service.hub.password == Secret("the first")


def test_a_terminal_that_goes_a_moment_after_sighup_is_noticed(tmp_path: Path) -> None:
    """Xterm sends it, and closes the window then."""
    reactor, service, tty = at_a_terminal(tmp_path)
    service.hang_up()
    close(tty)
    reactor.advance(5)
    assert reactor.hasStopped


def test_a_window_is_noticed_that_is_closed_without_a_signal(tmp_path: Path) -> None:
    """Where make is the leader of the session, it keeps SIGHUP to itself."""
    reactor, service, tty = at_a_terminal(tmp_path)
    service.terminal._ours = True
    service.watch_terminal()
    reactor.advance(60)
    assert not reactor.hasStopped
    close(tty)
    reactor.advance(LOOK_EACH)
    assert reactor.hasStopped


def test_one_that_a_shell_lets_live_in_the_background_lives(tmp_path: Path) -> None:
    """`twistd -n voicechat & disown`, and the window is closed; SIGHUP is the end all the same."""
    reactor, service, tty = at_a_terminal(tmp_path)
    service.terminal._ours = False
    service.watch_terminal()
    close(tty)
    reactor.advance(60)
    assert not reactor.hasStopped
    service.hang_up()
    assert reactor.hasStopped


def test_where_there_was_no_terminal_none_is_missed(tmp_path: Path) -> None:
    """As a daemon; or with a root folder without devices, from which nothing can be told."""
    for told in ("no terminal", "no devices"):
        folder = tmp_path / told.replace(" ", "-")
        folder.mkdir()
        reactor, service, tty = at_a_terminal(folder)
        if told == "no devices":
            tty.unlink()
        else:
            close(tty)
            service.terminal = Terminal(str(tty))
        service.hang_up()
        reactor.advance(60)
        assert not reactor.hasStopped
        assert service.hub.password == Secret("the second")


def test_a_password_file_in_the_home_folder_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("the second\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    service, _ = made(VoiceReactor(), file="~/secret")
    service.reload()
    assert service.hub.password == Secret("the second")


@pytest.mark.parametrize("file", [None, "-"])
def test_what_cannot_be_read_again_is_told(file: str | None) -> None:
    service, log = made(VoiceReactor(), file=file)
    service.reload()
    assert service.hub.password == Secret("the first")
    assert "no password file" in log.lines[-1]


EARLY = """
import os, signal
from twisted.internet import reactor
from voicechat.server.tap import Options, makeService

options = Options()
options.parseOptions(["--password", "a password", "--port", "0"])
service = makeService(options)
reactor.callWhenRunning(os.kill, os.getpid(), signal.SIGTERM)
reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
service.startService()
reactor.run()
print(reactor._exitSignal)
"""


def test_sigterm_while_the_reactor_starts_is_ours_and_a_good_end() -> None:
    """Twistd ends by the signal if it was Twisted's; what else begins with the reactor may take its time."""
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "None\n", done.stderr
