"""Keeps the sound going: looks whether devices still call, and takes them up again.

The bridge notes when it was called last; two looks a second at that note are all that
a call costs as long as nothing is wrong. What blocks (opening, closing, making
PortAudio's list anew) is done in a thread, one such job at a time. One that hangs is
given up after STUCK seconds, and a new one tried beside it, MOST_STUCK times at most.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from voicechat.client.bridge import AudioBridge
from voicechat.client.console import Console
from voicechat.client.devices import Devices, Missing, Opened
from voicechat.errors import DeviceError

LOOK_EVERY: Final = 0.5
"""Seconds between two looks: 120 wake-ups a minute, 10 ms of CPU."""

SILENT_FOR: Final = 0.5
"""Seconds without a call after which a device is taken to be gone."""

AGAIN: Final = 1.5
"""Seconds between two tries to take something up again: with a look and the opening itself, back within three."""

STUCK: Final = 15.0
"""Seconds after which a job is given up; the longest honest one tries nine pairs of devices for half a second each."""

MOST_STUCK: Final = 3
"""Jobs given up that still hang; each holds a thread. With more of them nothing is tried until one ends."""

CLOSE_WITHIN: Final = 2.0
"""Seconds that devices get at the end."""

Done = Callable[[Opened | None, DeviceError], None]


class _Job(NamedTuple):
    """Something that blocks, under way in a thread."""

    number: int
    since: float


def in_thread(work: Callable[[], None]) -> None:
    """Have something done that may block for ever: the program's end does not wait for it."""
    threading.Thread(target=work, name="opening sound", daemon=True).start()


class Sound:
    """The devices of one run. ``failed`` is called if a device that was named cannot be opened at the start."""

    def __init__(
        self,
        reactor: Any,
        devices: Devices,
        bridge: AudioBridge,
        console: Console,
        failed: Callable[[DeviceError], None],
        apart: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._reactor = reactor
        self._devices = devices
        self._bridge = bridge
        self._console = console
        self._failed = failed
        self._apart = apart
        self._job: _Job | None = None
        self._jobs = 0
        self._ended = self._look_at = 0.0
        self._stuck: set[int] = set()
        self._missing: tuple[Missing, ...] = ()
        self._lost = False
        self._over = False

    def start(self) -> None:
        """Open the devices, and keep an eye on them from now on."""
        self._run(lambda: self._devices.open(self._bridge.exchange), self._first)
        if self._devices.any_real:
            self._schedule()

    def stop(self) -> None:
        """No more looks, no more devices; recordings are complete afterwards."""
        self._over = True
        closing = threading.Thread(target=self._devices.close, name="closing sound", daemon=True)
        closing.start()
        closing.join(CLOSE_WITHIN)

    # -- looking -------------------------------------------------------------------

    def _schedule(self) -> None:
        self._look_at = self._reactor.seconds() + LOOK_EVERY
        self._reactor.callLater(LOOK_EVERY, self._look)

    def _look(self) -> None:
        if self._over:
            return
        now = self._reactor.seconds()
        late = now - self._look_at > SILENT_FOR / 2
        self._schedule()
        if self._job is not None:
            if now - self._job.since > STUCK:
                self._give_up(self._job)
        elif late or len(self._stuck) > MOST_STUCK:
            return  # late: the whole program stood still, and what its devices' threads did tells nothing
        elif self._devices.idle or self._devices.starved or now - self._bridge.exchanged_at > SILENT_FOR:
            if not self._lost:
                self._lost = True
                self._console.warn("the sound device stopped; waiting for it, or another one")
            if now - self._ended >= AGAIN:
                self._run(self._devices.reopen, self._again)
        else:
            self._goes_on()
            if self._devices.opened.missing and now - self._ended >= AGAIN:
                self._run(self._devices.improve, self._again)

    def _goes_on(self) -> None:
        """What was lost calls again."""
        if self._lost:
            self._lost = False
            opened = self._devices.opened
            names = dict.fromkeys(name for name in (opened.microphone, opened.loudspeaker) if name)
            self._console.say(f"the sound goes on with {' and '.join(names)}")

    # -- jobs ----------------------------------------------------------------------

    def _run(self, work: Callable[[], Opened], done: Done) -> None:
        self._jobs += 1
        job = self._job = _Job(self._jobs, self._reactor.seconds())

        def do() -> None:
            opened, problem = None, DeviceError("something unforeseen happened")
            try:
                opened = work()
            except DeviceError as error:
                problem = error
            finally:
                self._reactor.callFromThread(self._finish, job, done, opened, problem)

        self._apart(do)

    def _finish(self, job: _Job, done: Done, opened: Opened | None, problem: DeviceError) -> None:
        if job.number in self._stuck:
            self._stuck.remove(job.number)
            return
        self._job = None
        self._ended = self._reactor.seconds()
        if not self._over:
            done(opened, problem)

    def _give_up(self, job: _Job) -> None:
        self._job = None
        self._ended = self._reactor.seconds()
        self._stuck.add(job.number)
        self._devices.abandon()
        if len(self._stuck) > MOST_STUCK:
            self._console.warn("the sound system hangs; start it anew, and then this client")

    def _first(self, opened: Opened | None, problem: DeviceError) -> None:
        if opened is None:
            self._failed(problem)
            return
        self._lost = self._devices.idle
        self._tell(opened)
        if opened.microphone is not None and opened.loudspeaker is not None:
            self._console.say("wear headphones: there is no echo cancelling, your friends would hear themselves")

    def _again(self, opened: Opened | None, _: DeviceError) -> None:
        if opened is None or self._devices.idle:
            return  # told already
        if self._tell(opened):
            self._lost = False

    def _tell(self, opened: Opened) -> bool:
        """Say what is missing now, and what is not any more; whether anything was said."""
        before, self._missing = self._missing, opened.missing
        gone = [missing for missing in opened.missing if missing not in before]
        still = [(missing.what, missing.name) for missing in opened.missing]
        back = [
            repr(missing.name) if missing.name else f"the {missing.what}"
            for missing in before
            if missing[:2] not in still
        ]
        for missing in gone:
            self._console.warn(_without(missing))
        for name in sorted(set(back)):
            self._console.say(f"{name} is back")
        return bool(gone or back)


def _without(missing: Missing) -> str:
    """What it means that something is missing."""
    name, instead = missing.name, missing.instead
    if missing.what == "microphone":
        if instead is not None:
            return f"{name!r} is gone; the microphone is {instead!r} until it is back"
        return "no microphone found: you are not heard" if name is None else f"{name!r} is gone: you are not heard"
    if instead is not None:
        return f"{name!r} is gone; the loudspeaker is {instead!r} until it is back"
    return "no loudspeaker found: you hear nothing" if name is None else f"{name!r} is gone: you hear nothing"
