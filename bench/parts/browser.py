"""A friend in a browser and one at a terminal: mouth to ear, over either way, on a clean line and on a lossy one.

The browser's microphone is a WAV file; what its page was given by it and what went to its loudspeaker are recorded
in the page (``testkit.browsing``). Neither sound card nor sound system is in the delays, on either side.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import soundfile

from bench.calls import Studio
from bench.figures import Table, percentile, told
from bench.rig import procstat
from bench.rig.listening import Heard, Signal, listen
from bench.rig.network import SERVER, INetwork, network
from bench.rig.relay import Impairment
from bench.rig.stage import Party
from demo import script
from demo.browser import PAGE, PATH
from testkit.browsing import BrowserFriend
from testkit.processes import command, environment, password_file
from voicechat.format import SAMPLE_RATE, Samples

LINES: Final = {"clean": None, "20 ms, loss 2 %": Impairment(delay=20, loss=2)}
"""Of each friend's own link; words pass two."""

WORDS: Final = 16.0
QUICK_WORDS: Final = 8.0
"""Seconds that each of the two talks, after the other."""

LEAD: Final = 2.5
PAUSE: Final = 1.0


class Call(NamedTuple):
    """What one call gave."""

    path: str
    theirs: Heard
    """The browser, as it was heard at the terminal."""
    ours: Heard
    """The terminal, as it was heard in the browser."""
    server_cpu: float
    """Per cent of a core."""
    up: float | None
    down: float | None
    """Bytes a second of the browser, at IP level."""


def browser(studio: Studio) -> list[Table]:
    """One row for each line and each way."""
    seconds = QUICK_WORDS if studio.plan.quick else WORDS
    rows = []
    for line, impairment in LINES.items():
        for udp in (True, False):
            call = _held(studio, impairment, seconds, udp=udp)
            costs = (told([call.server_cpu], 1), told([call.up]), told([call.down]))
            rows.append((line, call.path, *_figures(call.theirs), *_figures(call.ours), *costs))
    head = (
        *("each link", "way", "browser to terminal, ms", "95 %", "PESQ-WB", "terminal to browser, ms", "95 %"),
        *("PESQ-WB", "server, % of a core", "browser up, bytes/s", "down, bytes/s"),
    )
    note = (
        "One talks, then the other. From the sound that the page, or the client, was given to the sound that it gave. "
        "Way: of the browser; udp is WebRTC, tcp the WebSocket. Silence is in CPU and bytes."
    )
    return [Table("In a browser", head, tuple(rows), note)]


def _figures(heard: Heard) -> tuple[str, str, str]:
    return told([percentile(heard.delays, 50)]), told([percentile(heard.delays, 95)]), told(heard.pesq, 2)


def _tracks(seconds: float) -> dict[str, Samples]:
    """Ann, in the browser, talks; then Ben does."""
    first, second = (
        np.resize(script.flowing(script.read(script.VOICES / f"{voice}.flac")), round(seconds * SAMPLE_RATE))
        for voice in ("en_f2", "en_m4")
    )
    lead, pause, quiet = (np.zeros(round(length * SAMPLE_RATE), np.float32) for length in (LEAD, PAUSE, seconds))
    ann = np.concatenate([lead, first, pause, quiet, lead])
    return {"Ann": ann, "Ben": np.concatenate([lead, quiet, pause, second, lead])}


def _held(studio: Studio, impairment: Impairment | None, seconds: float, *, udp: bool) -> Call:
    """Hold one call."""
    tracks = _tracks(seconds)
    with tempfile.TemporaryDirectory() as name, password_file() as (secret, password), network(2, impairment) as lines:
        folder = Path(name)
        for who, track in tracks.items():
            soundfile.write(folder / f"said-{who}.wav", track, SAMPLE_RATE, subtype="PCM_16")
        words = {"port": lines.port, "password": password, "mixing": "auto", "bitrate": 12_000, "seats": 4}
        server_words = studio.system.server_command(words | {"quality": "normal"})
        server = Party("server", lines.command(SERVER, server_words), environment(), folder / "server.log")
        ann = BrowserFriend("Ann", PAGE, folder / "said-Ann.wav", udp=udp, within=lines.command(0, []))
        try:
            server.wait_for(studio.system.listens)
            ann.open(f"voicechat://{lines.host(0)}:{lines.port}/%23{secret}&name=Ann")
            ben = _terminal(lines, password, folder, len(tracks["Ben"]) / SAMPLE_RATE)
            ben.wait_for(studio.system.entered)
            ann.join()
            ann.state("in")
            return _measured(ann, ben, server, lines, folder)
        finally:
            ann.close()
            server.stop()


def _terminal(lines: INetwork, password: Path, folder: Path, seconds: float) -> Party:
    join = [command("voicechat-client"), "--host", lines.host(1), "--port", str(lines.port), "--ui", "line"]
    join += ["--password-file", str(password), "--name", "Ben", "--duration", f"{seconds:.1f}"]
    join += ["--input", f"wav:{folder / 'said-Ben.wav'}", "--output", f"wav:{folder / 'heard-Ben.wav'}"]
    join += ["--stats", str(folder / "stats.json")]
    return Party("Ben", lines.command(1, join), environment(), folder / "ben.log")


def _measured(ann: BrowserFriend, ben: Party, server: Party, lines: INetwork, folder: Path) -> Call:
    """Wait until Ben's words are over, and judge."""
    start, cost, passed = time.monotonic(), procstat.sample(server.pid), lines.traffic(0)
    path = ann.tab.evaluate(f"new Promise((done) => setTimeout(() => done({PATH}), 5000))")
    ben.wait_until_end(120)
    seconds = time.monotonic() - start
    over = procstat.between(cost, procstat.sample(server.pid), seconds)
    traffic = lines.traffic(0)
    up = down = None
    if passed is not None and traffic is not None:
        up = (traffic.up_bytes - passed.up_bytes) / seconds
        down = (traffic.down_bytes - passed.down_bytes) / seconds
    stamps = json.loads((folder / "stats.json").read_text())["wav"]
    said, heard = ann.sound("said"), ann.sound("heard")
    ben_said = script.read(folder / "said-Ben.wav"), int(stamps["in_start_ns"])
    ben_heard = script.read(folder / "heard-Ben.wav"), int(stamps["out_start_ns"])
    return Call(path, _listen(said, ben_heard), _listen(ben_said, heard), over.cpu * 100 / 60, up, down)


def _listen(said: tuple[Samples, int], heard: tuple[Samples, int]) -> Heard:
    """Both on one clock: what is not there at the beginning is silence."""
    first = min(said[1], heard[1])
    tracks: list[Signal] = [
        np.concatenate([np.zeros(round((start - first) * SAMPLE_RATE / 1e9)), samples.astype(np.float64)])
        for samples, start in (said, heard)
    ]
    length = max(map(len, tracks))
    one, other = (np.pad(track, (0, length - len(track))) for track in tracks)
    return listen(one, other)
