"""Keeps the sound going: looks whether devices still call, and takes them up again.

The bridge notes when it was called last; two looks a second at that note are all that
a call costs as long as nothing is wrong. What blocks (opening, closing, making
PortAudio's list anew) is done in a thread, one such job at a time. One that hangs is
given up after STUCK seconds, and a new one tried beside it, MOST_STUCK times at most.

Who is muted for long needs no microphone, and while nobody talks no loudspeaker either:
both rest, and nothing at all is called. The first packet starts the loudspeaker again
within 10-15 ms; its pre-roll is longer than that.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.devices import Devices, Missing, Opened
from voicechat.client.leaving import apart
from voicechat.client.notices import INotices
from voicechat.errors import DeviceError
from voicechat.media.gate import GateMode

LOOK_EVERY: Final = 0.5
"""Seconds between two looks: 120 wake-ups a minute, 10 ms of CPU."""

SILENT_FOR: Final = 0.5
"""Seconds without a call after which a device is taken to be gone."""

AGAIN: Final = 1.5
"""Seconds between two tries to take something up again: with a look and the opening itself, back within three."""

STUCK: Final = 8.0
"""Seconds after which a job is given up: the longest honest one tries nine pairs of devices for half a second each.
In one of two restarts of PipeWire the first job after it hangs (measured)."""

MOST_STUCK: Final = 3
"""Jobs given up that still hang; each holds a thread. With more of them nothing is tried until one ends."""

MUTED_FOR: Final = 10.0
"""Seconds of being muted after which the microphone is closed; shorter ones are a cough or a word aside."""

PATIENCE: Final = 3
"""So many times MUTED_FOR a moment is waited for in which nobody talks, before it is closed all the same."""

UNHEARD_FOR: Final = 5.0
"""Seconds in which nobody talks, after which the loudspeaker of one who is muted rests, too."""

CLOSE_WITHIN: Final = 0.5
"""Seconds that devices get at the end, unless there is less time: an honest close takes 0.05 (measured)."""

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
        notices: INotices,
        failed: Callable[[DeviceError], None],
        apart: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._reactor = reactor
        self._devices = devices
        self._bridge = bridge
        self._notices = notices
        self._failed = failed
        self._apart = apart
        self._job: _Job | None = None
        self._jobs = 0
        self._ended = self._look_at = 0.0
        self._stuck: set[int] = set()
        self._missing: tuple[Missing, ...] = ()
        self._lost = False
        self._over = False
        self._capture = True
        """The microphone is open, or to be opened."""
        self._wanted = False
        """There is something to play while the device rests."""
        self._muted_since: float | None = None
        self._heard_at = 0.0
        bridge.on_wanted = self._wake

    def start(self) -> None:
        """Open the devices, and keep an eye on them from now on."""
        self._run(lambda: self._devices.open(self._bridge.exchange), self._first)
        if self._devices.any_real:
            self._schedule()

    def stop(self, within: float = CLOSE_WITHIN) -> None:
        """No more looks, no more devices; recordings are complete afterwards, if the devices let go in time."""
        self._over = True
        apart(self._devices.close, "closing sound", within)

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
        self._note(now)
        if self._job is not None:
            if now - self._job.since > STUCK:
                self._give_up(self._job)
        elif late or len(self._stuck) > MOST_STUCK:
            return  # late: the whole program stood still, and what its devices' threads did tells nothing
        elif self._bridge.resting:
            self.changed()
        elif self._devices.idle or self._devices.starved or now - self._bridge.beat.called_at > SILENT_FOR:
            if not self._lost:
                self._lost = True
                self._notices.warn("the sound device stopped; waiting for it, or another one")
            if now - self._ended >= AGAIN:
                self._run(self._devices.reopen, self._again)
        else:
            self._well(now)

    def _well(self, now: float) -> None:
        """The devices call."""
        self._goes_on()
        if self._devices.opened.missing:
            if now - self._ended >= AGAIN:
                self._run(self._devices.improve, self._again)
        elif self._devices.may_rest:
            self._rest(now)

    def _goes_on(self) -> None:
        """What was lost calls again."""
        if self._lost:
            self._lost = False
            opened = self._devices.opened
            names = dict.fromkeys(name for name in (opened.microphone, opened.loudspeaker) if name)
            self._notices.say(f"the sound goes on with {' and '.join(names)}")

    # -- resting -------------------------------------------------------------------

    def _note(self, now: float) -> None:
        if self._bridge.gate.mode is not GateMode.MUTED:
            self._muted_since = None
        elif self._muted_since is None:
            self._muted_since = now
        if self._bridge.playing:
            self._heard_at = now

    def _rest(self, now: float) -> None:
        """Nothing is wrong: close what has not been needed for long."""
        muted = 0.0 if self._muted_since is None else now - self._muted_since
        if self._capture:
            if muted >= PATIENCE * MUTED_FOR or (muted >= MUTED_FOR and not self._bridge.playing):
                self._capture = False
                self._run(lambda: self._devices.capture(wanted=False), lambda *_: None)
        elif now - self._heard_at >= UNHEARD_FOR:
            self._bridge.resting = True
            self._run(self._devices.pause, self._paused)

    def _paused(self, opened: Opened | None, _: DeviceError) -> None:
        self._bridge.resting = opened is not None

    def _wake(self) -> None:
        """Somebody talks."""
        self._wanted = True
        self.changed()

    def changed(self) -> None:
        """The gate's mode may have changed: the microphone of one who is not muted any more is opened at once."""
        self._note(self._reactor.seconds())
        if self._job is not None or self._over:
            return  # asked again when that is done
        if not self._capture and self._bridge.gate.mode is not GateMode.MUTED:
            self._capture = True
            self._run(lambda: self._devices.capture(wanted=True), self._awake)
        elif self._bridge.resting and self._wanted:
            self._run(self._devices.go_on, self._awake)

    def _awake(self, opened: Opened | None, problem: DeviceError) -> None:
        self._bridge.resting = self._wanted = False
        self._heard_at = self._reactor.seconds()
        self._again(opened, problem)
        if opened is not None:
            self._bridge.on_awake()

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
            self.changed()

    def _give_up(self, job: _Job) -> None:
        self._job = None
        self._ended = self._reactor.seconds()
        self._stuck.add(job.number)
        self._bridge.resting = False
        self._devices.abandon()
        if len(self._stuck) > MOST_STUCK:
            self._notices.warn("the sound system hangs; start it anew, and then this client")

    def _first(self, opened: Opened | None, problem: DeviceError) -> None:
        if opened is None:
            self._failed(problem)
            return
        self._lost = self._devices.idle
        self._notify(opened)
        if opened.microphone is not None and opened.loudspeaker is not None:
            self._notices.say("wear headphones: there is no echo cancelling, your friends would hear themselves")

    def _again(self, opened: Opened | None, _: DeviceError) -> None:
        if opened is None or self._devices.idle:
            return  # told already
        if self._notify(opened):
            self._lost = False

    def _notify(self, opened: Opened) -> bool:
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
            self._notices.warn(_without(missing))
        for name in sorted(set(back)):
            self._notices.say(f"{name} is back")
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
