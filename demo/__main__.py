"""``python -m demo``: three friends talk through a real server, and it is judged what each of them heard.

``python -m demo --browser`` has the first of them in a real browser (``demo.browser``).

What lives here: the order of events and the table. May import the demo's own
modules, the standard library and what minds the standard streams. It never reaches into server or client: they
run as a user runs them, and only their WAV files and ``--stats`` are read.

Exit status: 0 if everyone heard everyone else and nobody themselves, 1 if not or if
a process failed (one line says which), 130 after Ctrl-C.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import soundfile

from demo import script
from demo.compare import HEARD_LEAST, OWN_MOST, PART_LEAST, Figure, Listening, compare
from demo.timeline import Track
from testkit.processes import (
    Child,
    End,
    command,
    ends_as_interrupt,
    follow,
    free_port,
    password_file,
    stop,
    wait_for_port,
)
from voicechat import standard
from voicechat.format import SAMPLE_RATE, Samples

OUT: Final = Path("out", "demo")
"""Where sound, stats, logs and the picture go; git ignores it."""

IN_BROWSER: Final = "--browser"

START_SECONDS: Final = 12.0
"""Time beyond the script for clients to start, to enter and to end, before the demo gives up."""


class DemoFailed(Exception):
    """The call did not come about; the text is one line."""


@dataclass(frozen=True)
class Call:
    """What is left of a call: what was said and heard, each client's stats, each process' end."""

    said: Mapping[str, Track]
    heard: Mapping[str, Track]
    stats: Mapping[str, Mapping[str, Any]]
    ends: Mapping[str, End]


def main() -> int:
    """Run the demo; gives the exit status."""
    standard.open_closed()
    try:
        with ends_as_interrupt():
            call = run(OUT, browser=IN_BROWSER in sys.argv[1:])
            judged = compare(call.said, call.heard)
            print("\n" + table(call, judged))
            show(call, judged, OUT)
    except KeyboardInterrupt:
        standard.warn("\ndemo: stopped\n")
        return 130
    except BrokenPipeError:  # who read this has seen enough
        standard.silence("stdout")
        return 1
    except (DemoFailed, OSError) as error:
        standard.warn(f"demo: {error}\n")
        return 1
    failures = [failure for listening in judged for failure in listening.failures()]
    for failure in failures:
        standard.warn(f"FAILED: {failure}\n")
    if not failures:
        standard.write("Passed: everyone heard everyone else, and nobody heard themselves.\n")
    return 1 if failures else 0


def run(out: Path, *, browser: bool = False) -> Call:
    """Hold the call; all files go to ``out``. DemoFailed if a process ends badly or too late.

    ``browser``: the first friend is in one.
    """
    out.mkdir(parents=True, exist_ok=True)
    spoken = script.tracks()
    for name, samples in spoken.items():
        soundfile.write(out / f"said-{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
        for left in (out / f"heard-{name}.wav", out / f"stats-{name}.json"):
            left.unlink(missing_ok=True)
    seconds = script.length()
    print(f"{' and '.join(spoken)} talk for {seconds:.0f} s: in turn, in pairs, all at once. Their words go through a")
    print("server and three clients as a microphone's would.", flush=True)
    children: list[Child] = []
    with password_file() as (_, password), contextlib.ExitStack() as ending:
        ending.callback(stop, children)
        port = free_port()
        server = Child("server", server_command(port, password), out / "server.log")
        children.append(server)
        trouble = wait_for_port(server, port)
        if trouble is not None:
            raise DemoFailed(trouble)
        start = time.monotonic()
        clients = []
        for number, name in enumerate(spoken):
            command_of = browser_command if browser and number == 0 else client_command
            client = Child(
                name, command_of(name, port, password, seconds, out), out / f"{name}.log", _teller(name, start)
            )
            children.append(client)
            clients.append(client)
        in_time = follow(children, seconds + START_SECONDS, lambda: _over(server, clients))
        for child in children:
            failure = child.failure()
            if failure is not None:
                raise DemoFailed(failure)
        if not in_time:
            late = ", ".join(client.name for client in clients if client.end is None)
            raise DemoFailed(f"{late} did not end in time: {clients[0].tail()}")
        if server.end is not None:
            raise DemoFailed(f"the server ended before its clients: {server.tail()}")
        stop([server])
        failure = server.failure()
        if failure is not None:
            raise DemoFailed(failure)
    return _collect(out, spoken, {child.name: child.end for child in children if child.end is not None})


def server_command(port: int, password: Path) -> list[str]:
    """The real server on loopback; the password does not stand in it."""
    options = ["--port", str(port), "--interface", "127.0.0.1", "--max-clients", "4"]
    return [command("twistd"), "-n", "--pidfile=", "voicechat", "--password-file", str(password), *options]


def client_command(name: str, port: int, password: Path, seconds: float, out: Path) -> list[str]:
    """A real client whose microphone and headphones are WAV files."""
    sound = ["--input", f"wav:{out / f'said-{name}.wav'}", "--output", f"wav:{out / f'heard-{name}.wav'}"]
    rest = ["--duration", f"{seconds:.1f}", "--stats", str(out / f"stats-{name}.json"), "--ui", "line"]
    server = ["--host", "127.0.0.1", "--port", str(port), "--password-file", str(password)]
    return [command("voicechat-client"), *server, "--name", name, *sound, *rest]


def browser_command(name: str, port: int, password: Path, seconds: float, out: Path) -> list[str]:
    """A real browser with the page in it, whose microphone is the same file."""
    return [sys.executable, "-m", "demo.browser", name, str(port), str(password), f"{seconds:.1f}", str(out.resolve())]


def table(call: Call, judged: Sequence[Listening]) -> str:
    """The figures of each listener as lines for a terminal of 100 columns."""
    lines = [
        f"Likeness of heard to said; needed: {HEARD_LEAST}, within a mix {PART_LEAST}; own voice: at most {OWN_MOST}",
        f"{'':15}{'alone':>8}{'both':>8}{'in mix':>8}{'delay':>10}{'in mix':>10}",
    ]
    for listening in judged:
        name, stats = listening.listener, call.stats[listening.listener]
        lines.append(f"{name} hears")
        for hearing in listening.hearings:
            figures = "".join(_told(figure) for figure in (hearing.alone, hearing.across, hearing.in_mix))
            delays = _told_ms(hearing.delay_ms) + _told_ms(hearing.mixed_delay_ms)
            lines.append(f"  {hearing.friend:13}{figures}{delays}")
        lines.append(f"  {'all together':29}{_told(listening.together)}")
        lines.append(f"  {'own voice':13}{_told(listening.own_alone)}{_told(listening.own_together):>16}")
        seconds = len(call.said[name].samples) / SAMPLE_RATE
        up, down = (stats["bytes"][way] / seconds for way in ("out", "in"))
        frames = stats["frames"]
        kinds = ", ".join(f"{frames[kind]} {kind}" for kind in ("played", "recovered", "concealed", "late", "dropped"))
        lines.append(f"  {up:.0f} bytes/s out, {down:.0f} in, by {stats['path']}; frames: {kinds}")
    lines.append("CPU seconds a minute, starting and ending included:")
    costs = (f"{name} {end.cpu_seconds * 60 / end.seconds:.1f}" for name, end in call.ends.items())
    lines.append(f"  {', '.join(costs)}")
    return "\n".join(lines)


def show(call: Call, judged: Sequence[Listening], out: Path) -> None:
    """Draw the picture and say where everything is."""
    from demo.picture import draw  # matplotlib takes a second to import, and the call must not wait for it

    draw(out / "demo.png", call.said, call.heard, judged)
    print(f"\nPicture: {out / 'demo.png'}")
    for kind in ("said", "heard"):
        print(f"{kind.capitalize()}: {'  '.join(str(out / f'{kind}-{name}.wav') for name in call.said)}")
    print(f"Stats and logs: {out}{os.sep}", flush=True)


def _over(server: Child, clients: Sequence[Child]) -> bool:
    """Whether there is nothing left to wait for: all clients are done, or something went wrong."""
    failed = any(child.failure() is not None for child in clients)
    return failed or server.end is not None or all(client.end is not None for client in clients)


def _teller(name: str, start: float) -> Any:
    def tell(line: str) -> None:
        print(f"{time.monotonic() - start:6.1f} s  {name}: {line}", flush=True)

    return tell


def _collect(out: Path, spoken: Mapping[str, Samples], ends: Mapping[str, End]) -> Call:
    said, heard, stats = {}, {}, {}
    for name in spoken:
        try:
            stats[name] = json.loads((out / f"stats-{name}.json").read_text())
            wav = stats[name]["wav"]
            said[name] = Track(script.read(out / f"said-{name}.wav"), int(wav["in_start_ns"]))
            heard[name] = Track(script.read(out / f"heard-{name}.wav"), int(wav["out_start_ns"]))
        except (OSError, ValueError, KeyError, TypeError, soundfile.SoundFileError) as error:
            raise DemoFailed(f"{name} left nothing to judge by: {type(error).__name__}: {error}") from error
    return Call(said, heard, stats, ends)


def _told(figure: Figure) -> str:
    return f"{figure.value:8.2f}" if figure.windows else f"{'-':>8}"


def _told_ms(delay: float | None) -> str:
    return f"{'-':>10}" if delay is None else f"{delay:7.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
