"""Keeps the sound going: looks whether devices still call, and takes them up again.

The bridge notes when it was called last; two looks a second at that note are all that
a call costs as long as nothing is wrong. What blocks (opening, closing, making
PortAudio's list anew) is a job of `jobs`; one that hangs is given up, and a new one tried beside it.

Who is muted for long needs no microphone, and while nobody talks no loudspeaker either:
both rest, and nothing at all is called. The first packet starts the loudspeaker again
within 10-15 ms; its pre-roll is longer than that.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet import defer

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.audio.devices import Devices, Missing, Opened
from voicechat.client.audio.jobs import Jobs, in_thread
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

MUTED_FOR: Final = 10.0
"""Seconds of being muted after which the microphone is closed; shorter ones are a cough or a word aside."""

PATIENCE: Final = 3
"""So many times MUTED_FOR a moment is waited for in which nobody talks, before it is closed all the same."""

UNHEARD_FOR: Final = 5.0
"""Seconds in which nobody talks, after which the loudspeaker of one who is muted rests, too."""

CLOSE_WITHIN: Final = 0.5
"""Seconds that devices get at the end, unless there is less time: an honest close takes 0.05 (measured)."""

Done = Callable[[Opened | None, DeviceError | None], None]
"""Takes what is open now, or None, and why a job failed."""


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
        self._jobs = Jobs(reactor, apart)
        self._ended = self._look_at = 0.0
        self._missing: tuple[Missing, ...] = ()
        self._lost = False
        self._over = False
        self._capture = True
        """The microphone is open, or to be opened."""
        self._wanted = False
        """There is something to play while the device rests."""
        self._muted_since: float | None = None
        self._heard_at = 0.0
        self.advice = ""
        """What is said at the start where there are a microphone and a loudspeaker."""
        self.on_new_device: Callable[[], None] = lambda: None
        """Called when another microphone or loudspeaker is in use than before."""
        self._in_use: tuple[str | None, str | None] = (None, None)
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
        if self._jobs.running:
            return
        if late or self._jobs.hang:
            return  # late: the whole program stood still, and what its devices' threads did tells nothing
        if self._bridge.resting:
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
        if self._bridge.playing or self._bridge.cueing:
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

    def _paused(self, opened: Opened | None, _: DeviceError | None) -> None:
        self._bridge.resting = opened is not None

    def _wake(self) -> None:
        """Somebody talks."""
        self._wanted = True
        self.changed()

    def changed(self) -> None:
        """The gate's mode may have changed: the microphone of one who is not muted any more is opened at once."""
        self._note(self._reactor.seconds())
        if self._jobs.running or self._over:
            return  # asked again when that is done
        if not self._capture and self._bridge.gate.mode is not GateMode.MUTED:
            self._capture = True
            self._run(lambda: self._devices.capture(wanted=True), self._awake)
        elif self._bridge.resting and self._wanted:
            self._run(self._devices.go_on, self._awake)

    def _awake(self, opened: Opened | None, problem: DeviceError | None) -> None:
        self._bridge.resting = self._wanted = False
        self._heard_at = self._reactor.seconds()
        self._again(opened, problem)
        if opened is not None:
            self._bridge.on_awake()

    # -- jobs ----------------------------------------------------------------------

    def _run(self, work: Callable[[], Opened], done: Done) -> None:
        defer.Deferred.fromCoroutine(self._job(work, done))

    async def _job(self, work: Callable[[], Opened], done: Done) -> None:
        opened: Opened | None = None
        problem: DeviceError | None = None
        try:
            opened = await self._jobs.run(work)
        except DeviceError as error:
            problem = error
        except defer.TimeoutError:
            self._give_up()
            return
        finally:
            self._ended = self._reactor.seconds()
        if not self._over:
            done(opened, problem)
            self.changed()

    def _give_up(self) -> None:
        self._bridge.resting = False
        self._devices.abandon()
        if self._jobs.hang:
            self._notices.warn("the sound system hangs; start it anew, and then this client")

    def _first(self, opened: Opened | None, problem: DeviceError | None) -> None:
        if opened is None:
            assert problem is not None
            self._failed(problem)
            return
        self._lost = self._devices.idle
        self._notify(opened)
        if self.advice and opened.microphone is not None and opened.loudspeaker is not None:
            self._notices.say(self.advice)

    def _again(self, opened: Opened | None, _: DeviceError | None) -> None:
        if opened is None or self._devices.idle:
            return  # told already
        if self._notify(opened):
            self._lost = False

    def _notify(self, opened: Opened) -> bool:
        """Say what is missing now, and what is not any more; whether anything was said."""
        devices = (opened.microphone, opened.loudspeaker)
        if devices != self._in_use:
            self._in_use = devices
            self.on_new_device()
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
