"""How long a client takes: to tell its options, and to be in the room."""

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.calls import Studio
from bench.figures import Table, told
from bench.rig.network import SERVER, Loopback
from bench.rig.stage import Party, StageError
from testkit.processes import command, environment, password_file
from testkit.rig import RigError, sound_rig

TIMES: Final = 8
LONGEST: Final = 20.0


def startup(studio: Studio) -> list[Table]:
    """Seconds from the command to the line that shows it."""
    times = 3 if studio.plan.quick else TIMES
    client = command("voicechat-client")
    rows = [
        ("voicechat-client --help, to its end", told(_helps(client, times), 2), "0.3"),
        ("voicechat-ctl --help, to its end", told(_helps(command("voicechat-ctl"), times), 2), "0.1"),
    ]
    with tempfile.TemporaryDirectory() as folder, password_file() as (_, password):
        lines = Loopback()
        words = {
            "port": lines.port,
            "password": password,
            "mixing": "auto",
            "bitrate": 12_000,
            "seats": 4,
            "quality": "normal",
        }
        server_command = lines.command(SERVER, studio.system.server_command(words))
        server = Party("server", server_command, environment(), Path(folder) / "server.log")
        try:
            server.wait_for(studio.system.listens)
            join = [client, "--host", lines.host(0), "--port", str(lines.port), "--password-file", str(password)]
            join += ["--name", "friend", "--ui", "line"]
            synthetic = [*join, "--input", "silence", "--output", "null"]
            entered = [_until(synthetic, environment(), studio.system.entered) for _ in range(times)]
            rows.append(("client in the room, no sound card", told(entered, 2), "1.5"))
            try:
                with sound_rig(1) as sound:
                    its = sound.client_environment(0)
                    entered = [_until(join, its, studio.system.entered) for _ in range(times)]
                rows.append(("client in the room, sound card open", told(entered, 2), "1.5"))
            except RigError as error:
                rows.append(("client in the room, sound card open", str(error).splitlines()[0], "1.5"))
        finally:
            server.stop()
    note = f"Seconds by the clock, median (lowest to highest) of {times}; server on the same machine, files warm."
    return [Table("Start-up", ("what", "seconds", "goal"), tuple(rows), note)]


def _helps(client: str, times: int) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.monotonic()
        subprocess.run([client, "--help"], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.monotonic() - start)
    return taken


def _until(argv: Sequence[str], variables: Mapping[str, str], text: str) -> float:
    """Seconds until a program has written ``text``; then it is ended. StageError if it never does."""
    start = time.monotonic()
    with (
        subprocess.Popen(
            argv, env=dict(variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child,
        selectors.DefaultSelector() as selector,
    ):
        assert child.stdout is not None
        selector.register(child.stdout, selectors.EVENT_READ)
        written = b""
        while text.encode() not in written:
            data = os.read(child.stdout.fileno(), 65_536) if selector.select(LONGEST) else b""
            if not data:
                child.kill()
                raise StageError(f"the client did not enter: {written.decode(errors='replace')[-200:].strip()}")
            written += data
        taken = time.monotonic() - start
        child.terminate()
        return taken
