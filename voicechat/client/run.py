"""One run of the client: everything made, joined, started, and taken down again.

More than 300 lines, since this is where every part of the client meets: what is made when, and ended in which order,
is read in one place.
"""

import argparse
import random
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.error import CannotListenError

from voicechat import garbage, standard
from voicechat.carriage.clock import monotonic_reactor
from voicechat.client import asking, stats
from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.devices import Devices
from voicechat.client.audio.named import in_use
from voicechat.client.audio.portaudio import quiet_stderr
from voicechat.client.audio.supervisor import Sound
from voicechat.client.call.call import Call
from voicechat.client.call.cancelling import EchoCancelling, EchoMode
from voicechat.client.call.controls import Controls
from voicechat.client.call.cueing import Cueing, Cues
from voicechat.client.call.echotest import EchoTest, Meter
from voicechat.client.call.transmit import TransmitMode
from voicechat.client.call.voice import Suppress, Voice
from voicechat.client.call.volumes import Volumes
from voicechat.client.call.volumes import place as volumes_place
from voicechat.client.exits import Exit
from voicechat.client.identity import name_of, room_of
from voicechat.client.leaving import Leaving, apart
from voicechat.client.network.lookup import Lookups
from voicechat.client.network.reconnecting import Service
from voicechat.client.network.target import Target
from voicechat.client.remote.commands import Commands
from voicechat.client.remote.socket import Remote
from voicechat.client.remote.typed import Typed
from voicechat.client.ui import face, reading
from voicechat.client.ui.line import LAST_MOMENT
from voicechat.client.ui.logfile import LogFile, Logged
from voicechat.codecs.opus import OpusCodec
from voicechat.errors import ConfigError, DeviceError, WireError
from voicechat.media.cues import Cue
from voicechat.media.gate import TalkGate
from voicechat.media.loudness import Loudness
from voicechat.media.quality import Quality
from voicechat.security.secret import Secret
from voicechat.session.client import encoded
from voicechat.wire import messages

LAST_WORDS = 0.05
"""Seconds that the goodbye gets to leave before the reactor stops."""

STATS_WITHIN = 0.3
"""Seconds that the file of --stats gets: a pipe that nobody reads never takes them, and a recording needs some, too."""


def run(chosen: argparse.Namespace, password: Secret) -> int:
    """Talk until told to stop; the exit code. DeviceError and ConfigError before anything runs."""
    try:
        request = messages.Request(
            name_of(chosen), room_of(chosen), chosen.echo_test, Quality(chosen.quality), messages.CAPABILITIES
        )
        encoded(request)
    except WireError as error:
        raise ConfigError(str(error)) from None
    if chosen.stats:
        stats.check(chosen.stats)
    log = LogFile(chosen.log, vars(chosen)) if chosen.log else None
    target = Target(chosen.host, chosen.port, password, request, chosen.path == "auto")
    with quiet_stderr():
        made: list[Devices] = []
        apart(lambda: made.append(Devices(chosen.input, chosen.output)), "looking for sound")
        leaving = Leaving()
        try:
            return _Run(chosen, target, made[0], leaving, log).run()
        finally:
            leaving.begin(Exit.TROUBLE)
            leaving.do(made[0].close, "closing sound")
            leaving.over()


class _Run:
    """The parts of one run, and how it ends."""

    def __init__(
        self, chosen: argparse.Namespace, target: Target, devices: Devices, leaving: Leaving, log: LogFile | None
    ) -> None:
        self._chosen = chosen
        self._devices = devices
        self._leaving = leaving
        self._reactor: Any = monotonic_reactor()
        self._reactor.installNameResolver(Lookups(self._reactor))
        self._console = face.console("line" if chosen.echo_test else chosen.ui, chosen.say, self._reactor, self._quit)
        self._log = log
        notices = self._notices = self._console if log is None else Logged(self._console, log)
        gate = TalkGate(devices.gate_dbfs if chosen.gate == "auto" else chosen.gate)
        self._test: EchoTest | None = None
        meter = Meter() if chosen.echo_test else None
        echo = EchoMode(chosen.echo)
        self._bridge = AudioBridge(
            self._reactor.callFromThread,
            gate,
            taps=() if meter is None else (meter,),
            keep_played=echo is not EchoMode.OFF,
        )
        voice = Voice(Loudness() if chosen.loudness else None, time.perf_counter, self._notices.warn)
        voice.suppress(Suppress(chosen.suppress))
        codec = OpusCodec(chosen.complexity, enhance=chosen.enhance == "auto")
        cancelling = EchoCancelling(gate, echo, time.perf_counter, self._notices.say)
        self._call = Call(self._reactor, codec, self._bridge, notices, voice=voice, cancelling=cancelling)
        mode = TransmitMode.VOICE if chosen.echo_test else TransmitMode(chosen.talk)  # a test needs no key
        self._controls = Controls(self._reactor, self._call, gate, self._volumes(), self._quit, mode)
        self._call.server = chosen.host
        self._controls.opened = lambda: devices.opened
        if chosen.ptt_key:
            from voicechat.client.ui import talkkey

            controls = self._controls
            talkkey.watch(self._reactor, chosen.ptt_key, controls.ptt_down, controls.ptt_up, self._notices.warn)
        if meter is not None:
            counts = self._call.hearing.counts
            self._test = EchoTest(self._reactor, gate, meter, counts, notices, self._finish, chosen.duration)
        self._service = Service(self._reactor, self._call, target, notices, self._finish, random.SystemRandom().uniform)
        self._sound = Sound(self._reactor, devices, self._bridge, notices, self._no_device)
        self._sound.on_new_device = cancelling.new_device
        if echo is EchoMode.OFF:
            self._sound.advice = "wear headphones: echo cancelling is off, and your friends would hear themselves"
        self._controls.watch(self._sound.changed)
        devices.sink.failed = self._recording_failed
        self._recording_lines: deque[str] = deque()  # told by the sound's thread
        self._recorded = True  # nothing of it is missing
        self._service.on_entered = self._entered
        commands = Commands(self._controls, self._figures, self._in_use)
        self._remote = Remote(self._reactor, commands)
        self._typed = Typed(commands, notices)
        self._lines = reading.of_terminal(self._reactor)
        self._unseen = None if self._lines is None else reading.UnseenLine(self._lines)
        self._tried = 1  # password
        if chosen.typed and self._unseen is not None:
            self._service.ask_password = self._ask_password
        self._cueing = Cueing(self._reactor, self._call, self._controls, self._bridge.cue, self._cues())
        self._code = int(Exit.OK)
        self._ending = self._taken = self._begun = False

    def run(self) -> int:
        """Run the reactor until the end, and let the last words out."""
        try:
            return self._run()
        finally:
            self._console.close()
            if self._log is not None:
                self._log.end(self._code, self._figures())
                self._log.close(LAST_MOMENT)

    def _run(self) -> int:
        self._reactor.callWhenRunning(garbage.keep_what_is_loaded)
        self._reactor.callWhenRunning(self._sound.start)
        self._reactor.callWhenRunning(self._obey_signals)
        self._reactor.callWhenRunning(self._listen)
        self._reactor.callWhenRunning(self._service.start)
        try:
            if self._service.ask_password is None:
                self._take_terminal()
            self._notices.say(f"connecting to {self._service.where} ...")
            self._reactor.run(installSignalHandlers=False)
        finally:
            self._leaving.begin(self._code)
            self._console.end()
            written = self._stats_written()
            self._sound.stop(self._leaving.left)
        self._notify_of_recording()
        if self._console.fault is not None:
            raise self._console.fault
        if not written:
            return self._code or Exit.CONFIG
        return self._code if self._recorded else self._code or Exit.NO_DEVICE

    def _stats_written(self) -> bool:
        """The figures are where they were asked for, or a line says why not."""
        path = self._chosen.stats
        if not path:
            return True
        figures = self._figures()
        try:
            if self._leaving.do(lambda: stats.write(path, figures), "writing the figures", STATS_WITHIN):
                return True
            self._notices.warn(f"cannot write {path}: nobody reads it, or its disk stands still")
        except ConfigError as error:
            self._notices.warn(str(error))
        return False

    def _volumes(self) -> Volumes:
        """How loud each friend is, as remembered."""
        volumes = Volumes(volumes_place())
        try:
            volumes.load()
        except ConfigError as error:
            self._notices.warn(str(error))
        return volumes

    def _listen(self) -> None:
        """For voicechat-ctl, without which the call goes on."""
        try:
            self._remote.start()
        except (ConfigError, CannotListenError, OSError) as error:
            self._notices.warn(f"this client hears no voicechat-ctl: {error}")

    def _ask_password(self, take: Callable[[Secret], None]) -> None:
        """A typed password was refused: let it be typed again."""
        self._tried += 1
        if self._tried == asking.TRIES:
            self._service.ask_password = None
        assert self._unseen is not None
        self._unseen.ask(
            lambda line: take(Secret(line)), lambda: self._finish(Exit.PASSWORD, "no other password was typed")
        )
        self._notices.warn(asking.AGAIN.format(number=self._tried, most=asking.TRIES))

    def _cues(self) -> frozenset[Cue]:
        """The cues that are wanted; an echo test is listened to."""
        return frozenset() if self._chosen.echo_test else Cues(self._chosen.cues).those(audible=self._devices.audible)

    def _figures(self) -> dict[str, Any]:
        return self._call.stats(self._devices.source, self._devices.sink)

    def _in_use(self) -> list[str]:
        opened, chosen = self._devices.opened, self._chosen
        sides = ("microphone", opened.microphone, chosen.input), ("headphones", opened.loudspeaker, chosen.output)
        return [in_use(*side) for side in sides]

    def _entered(self) -> None:
        """In the room; at the first time the sources begin, and --duration."""
        if self._begun:
            return
        self._begun = True
        if not self._taken:
            self._take_terminal()
        self._devices.source.begin()
        if self._test is not None:
            self._test.begin(self._call.echo)
        elif self._chosen.duration is not None:
            self._reactor.callLater(self._chosen.duration, self._finish, Exit.OK, "")

    def _take_terminal(self) -> None:
        """Begin to draw or to read; where a password may be asked for once more, only after that."""
        self._taken = True
        try:
            self._console.begin(self._controls)
        except Exception as error:  # noqa: BLE001  raised when the terminal is given back
            self._console.fault = error
            self._quit()
            return
        if self._lines is not None and not self._console.draws and self._test is None:
            self._lines.start(self._typed.line, lambda: self._notices.say("no more is read from here; Ctrl-C leaves"))

    def _quit(self) -> None:
        self._finish(Exit.OK, "")

    def _interrupted(self) -> None:
        """Ctrl-C; in an echo test it asks for the verdict."""
        if self._test is not None and self._begun:
            self._test.end()
        else:
            self._finish(Exit.INTERRUPTED, "")

    def _finish(self, code: int, line: str) -> None:
        """The end: say why, say goodbye, stop."""
        if self._ending:
            return
        self._ending = True
        self._code = code
        self._leaving.begin(code)
        self._console.end()
        if line:
            self._notices.warn(line)
        self._cueing.stop()
        self._controls.stop()
        self._remote.stop()
        if self._lines is not None and self._unseen is not None:
            self._unseen.stop()
            self._lines.stop()
        self._service.stop()
        self._reactor.callLater(LAST_WORDS, self._reactor.stop)

    def _recording_failed(self, line: str) -> None:
        self._recording_lines.append(line)
        self._reactor.callFromThread(self._notify_of_recording)  # nobody does it any more after the reactor's end

    def _notify_of_recording(self) -> None:
        while self._recording_lines:
            self._recorded = False
            self._notices.warn(self._recording_lines.popleft())

    def _no_device(self, error: DeviceError) -> None:
        self._finish(Exit.NO_DEVICE, str(error))

    def _obey_signals(self) -> None:
        if sys.platform == "win32":
            from voicechat.client.windows import console

            later = self._reactor.callFromThread
            console.obey(lambda: later(self._interrupted), lambda: later(self._quit))
            return
        endings = {signal.SIGINT: self._interrupted, signal.SIGTERM: self._quit}
        if hasattr(signal, "SIGHUP"):
            endings[signal.SIGHUP] = self._quit  # the terminal's window was closed
        for number, ending in endings.items():
            standard.obey(number, lambda *_, ending=ending: self._reactor.callFromThread(ending))
