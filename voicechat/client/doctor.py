"""``voicechat-client doctor``: would a call work? Looks at each thing that it needs, and says what to do.

The sound is opened as for a call, and the microphone listened to; the server is really
logged in to, into a room of our own (that of the echo test), so that no friend sees
somebody come and go. The exit code is that of the first thing that would end a call.
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from voicechat.carriage.clock import monotonic_reactor
from voicechat.client.audio.devices import Devices
from voicechat.client.audio.jobs import STUCK
from voicechat.client.audio.portaudio import quiet_stderr
from voicechat.client.audio.supervisor import CLOSE_WITHIN
from voicechat.client.exits import Exit
from voicechat.client.finding import Finding, Verdict
from voicechat.client.identity import name_of
from voicechat.client.leaving import apart
from voicechat.client.network.lookup import Lookups
from voicechat.client.network.target import Target
from voicechat.client.ui.line import Console
from voicechat.client.visit import Visit
from voicechat.codecs.enhancing import Enhancement
from voicechat.codecs.opus import OpusCodec
from voicechat.errors import ConfigError, DeviceError, VoiceChatError
from voicechat.format import BLOCK_SAMPLES, FRAME_SAMPLES, SILENT_BLOCK, TICK_MS, TICKS_PER_SECOND, silent_frame
from voicechat.interfaces import ICodec, IDescribedCodec
from voicechat.media.levels import dbfs_of
from voicechat.media.quality import HIGH_BITRATE, NORMAL_BITRATE, Quality
from voicechat.security.secret import Secret
from voicechat.wire import messages

LISTEN: Final = 3.0
"""Seconds that the microphone is listened to: time to read the line and to say something."""

DEAD_DBFS: Final = -90.0
"""A microphone below this is switched off: the last bit of 16 lies there, and no room is so quiet."""

QUIET_DBFS: Final = -46.0
"""The loudest frame of somebody who speaks is above this: the softest speech that the gate is meant to pass."""

CLIPPING_DBFS: Final = -3.0
"""A whole frame as loud as this is clipped: a sine at full scale has it, speech lies far below."""

ENHANCED: Final = {
    Enhancement.OFF: "; what you hear is not enhanced (--enhance off)",
    Enhancement.TOO_OLD: "; 1.5 and later conceal losses better, and sound better",
    Enhancement.NO_MODELS: "; built without the models by which 1.5 and later sound better",
    Enhancement.CONCEALMENT: ", with deep concealment",
    Enhancement.SPARED: ", with deep concealment; without LACE, to spare this computer",
    Enhancement.LACE: ", with deep concealment and LACE",
}
"""What is said of each behind the version."""

TRIED_FRAMES: Final = 2 * TICKS_PER_SECOND
BUSY, TOO_BUSY = 0.25, 1.0
"""Share of a frame's time that encoding and decoding it may take: a game wants the rest; above one a call breaks."""

OPEN_WITHIN: Final = STUCK + 2.0
"""Seconds for the sound system to open the devices: what a call gives it, and some."""


def doctor(chosen: argparse.Namespace, password: Callable[[], Secret]) -> int:
    """Check everything, tell it line by line; 0 only if a call would work."""
    console = Console()
    code = Exit.OK
    try:
        for finding in _everything(chosen, password, console.say):
            console.say(f"{finding.verdict.value:8} {finding.text}")
            if finding.verdict is Verdict.FAIL and code is Exit.OK:
                code = finding.code
        well = code is Exit.OK
        console.say("a call will work" if well else "a call will not work yet: see the lines that begin with fail")
    finally:
        console.close()
    return code


def _everything(
    chosen: argparse.Namespace, password: Callable[[], Secret], say: Callable[[str], None]
) -> Iterator[Finding]:
    codec = None
    try:
        codec = OpusCodec(chosen.complexity, enhance=chosen.enhance == "auto")
        yield library(codec.version, codec.enhancement)
        bitrate = Quality(chosen.quality).bitrate(NORMAL_BITRATE, HIGH_BITRATE)
        yield effort(codec, bitrate, time.process_time)
    except VoiceChatError as error:
        yield Finding(Verdict.FAIL, str(error), Exit.CONFIG)
    with quiet_stderr():
        found = sound(chosen.input, chosen.output, say)
    yield from found
    if codec is not None:
        yield from server(chosen, password, codec)


def library(version: str, enhancement: Enhancement) -> Finding:
    """Which libopus it is, and what it does for what is heard."""
    return Finding(Verdict.OK, f"libopus is there: {version}{ENHANCED[enhancement]}")


def effort(codec: ICodec, bitrate: int, cpu: Callable[[], float]) -> Finding:
    """How much of a frame's time its coding takes; ``cpu`` tells the process' seconds of CPU."""
    encoder, decoder = codec.encoder(bitrate), codec.decoder()
    noise = np.random.default_rng(1).normal(0, 0.1, (TRIED_FRAMES, FRAME_SAMPLES)).astype(np.float32)
    out = silent_frame()
    start = cpu()
    for frame in noise:
        decoder.decode(encoder.encode(frame), out)
    took = (cpu() - start) * 1000 / TRIED_FRAMES
    told = f"CPU: a frame of {TICK_MS} ms is coded in {took:.1f} ms"
    if took > TOO_BUSY * TICK_MS:
        return Finding(Verdict.FAIL, f"{told}: too slow for a call; close other programs, --complexity 0", Exit.TROUBLE)
    if took > BUSY * TICK_MS:
        return Finding(Verdict.WARNING, f"{told}: a game may feel it; try --complexity 5, and less")
    return Finding(Verdict.OK, told)


def sound(microphone: str, loudspeaker: str, say: Callable[[str], None]) -> list[Finding]:
    """PortAudio, the devices, and what the microphone hears."""
    made: list[Devices] = []
    problems = _apart(lambda: made.append(Devices(microphone, loudspeaker)))
    if problems:
        return [Finding(Verdict.FAIL, problem, Exit.NO_DEVICE) for problem in problems]
    (devices,) = made
    try:
        return _sound(devices, say)
    finally:
        _apart(devices.close, CLOSE_WITHIN)


def _sound(devices: Devices, say: Callable[[str], None]) -> list[Finding]:
    found = []
    levels: list[float] = []

    def exchange(block: bytes) -> bytes:
        samples = np.frombuffer(block, np.float32)
        levels.append(float(samples.dot(samples)) / BLOCK_SAMPLES)
        return SILENT_BLOCK

    problems = _apart(lambda: devices.open(exchange))
    if problems:
        return [Finding(Verdict.FAIL, problem, Exit.NO_DEVICE) for problem in problems]
    opened = devices.opened
    if devices.any_real:
        found.append(Finding(Verdict.OK, "PortAudio is there"))
    for missing in opened.missing:
        means = "you would not be heard" if missing.what == "microphone" else "you would hear nothing"
        advice = f"no {missing.what} can be opened: {means}; plug one in, or name one (--list-devices)"
        found.append(Finding(Verdict.FAIL, advice, Exit.NO_DEVICE))
    for what, name in (("microphone", opened.microphone), ("loudspeaker", opened.loudspeaker)):
        if name is not None:
            found.append(Finding(Verdict.OK, f"{what}: {name}"))
    if opened.microphone is not None:
        say(f"         now say something for {LISTEN:.0f} seconds ...")
        levels.clear()
        threading.Event().wait(LISTEN)
        found.append(level(levels))
    return found


def _apart(work: Callable[[], object], seconds: float = OPEN_WITHIN) -> list[str]:
    """Do what may hang, in a thread that is left behind then; what went wrong."""
    try:
        done = apart(work, "opening sound", seconds)
    except DeviceError as error:
        return [str(error)]
    return [] if done else [f"the sound system does not answer within {seconds:.0f} s; start it anew"]


def level(levels: list[float]) -> Finding:
    """Judge the mean squares of a microphone's blocks."""
    loudest = dbfs_of(max(levels, default=0.0))
    told = f"microphone level: {loudest:.0f} dBFS at the loudest"
    if loudest < DEAD_DBFS:
        return Finding(Verdict.WARNING, f"{told}: nothing at all; is it switched on, and the right one?")
    if loudest < QUIET_DBFS:
        return Finding(Verdict.WARNING, f"{told}: too quiet for speech; if you spoke, turn the microphone up")
    if loudest > CLIPPING_DBFS:
        return Finding(Verdict.WARNING, f"{told}: clipping; turn the microphone down")
    return Finding(Verdict.OK, told)


def server(chosen: argparse.Namespace, password: Callable[[], Secret], codec: IDescribedCodec) -> list[Finding]:
    """Log in, and see which ways lead to the server."""
    if not chosen.host:
        advice = "no server is named: give --host HOST, or the link that your host gave you"
        return [Finding(Verdict.FAIL, advice, Exit.USAGE)]
    try:
        request = messages.Request(name_of(chosen), echo=True, capabilities=messages.CAPABILITIES)
        target = Target(chosen.host, chosen.port, password(), request, chosen.path == "auto")
    except ConfigError as error:
        return [Finding(Verdict.FAIL, str(error), Exit.CONFIG)]
    reactor = monotonic_reactor()
    reactor.installNameResolver(Lookups(reactor))
    visit = Visit(reactor, target, codec)
    return visit.run()
