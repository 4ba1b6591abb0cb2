"""``python -m demo.screenshot``: a picture of the screen in a call, for the README.

What lives here: a server, two friends with recorded voices, a third at a terminal of 80 x 24, and the picture of what
that one sees. Writes `docs/pictures/screen.png`. May import the kit and the demo's voices.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from demo import script
from demo.painting import paint
from testkit.children import Children, Program, children
from testkit.terminal import Terminal
from voicechat.format import SAMPLE_RATE

PICTURE: Final = Path("docs", "pictures", "screen.png")
SIZE: Final = (80, 24)
"""Columns and rows: a terminal's usual window."""

WHO: Final = "Ann"
FRIENDS: Final = {"Ben": "en_m4", "Čeněk": "it_m2"}
"""Each friend, and the recording that is their voice."""

SAID: Final = (("Ben", "who is up for another round?"), ("Čeněk", "same map, other side"))
ANSWER: Final = "give me two minutes"


@contextlib.contextmanager
def call(folder: Path) -> Iterator[Terminal]:
    """What Ann sees while both friends talk and have written, as long as the body runs."""
    with children(folder) as house:
        server = house.server("--interface", "127.0.0.1")
        words = ["voicechat-client", "--host", "localhost", "--port", str(server.port), "--name", WHO, "--room", "den"]
        words += ["--password-file", str(house.password_file), "--output", "null"]
        words += ["--input", f"wav:{_recorded(folder, WHO, script.CAST[WHO])}"]
        # Its state and configuration are nobody's here; the terminal has 256 colours, as most have.
        places = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        screen = Terminal(words, *SIZE, folder=folder, variables=places | {"TMPDIR": str(folder)})
        try:
            screen.until("UDP")
            friends = {name: _friend(house, server.port, name, voice) for name, voice in FRIENDS.items()}
            screen.until(*friends)
            for name, line in SAID:
                place = str(folder / "voicechat" / f"client-{friends[name].pid}.sock")
                assert house.start("voicechat-ctl", "--socket", place, "say", line).end() == 0
                screen.until(line)
            screen.type(f"\n{ANSWER}\n")
            screen.until(ANSWER)
            screen.wait(lambda: screen.shown.count("talks") == len(friends) and "~" in screen.shown)
            yield screen
        finally:
            screen.close()


def main() -> int:
    """Take the picture; gives the exit status."""
    with tempfile.TemporaryDirectory() as folder, call(Path(folder)) as screen:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        paint(PICTURE, [screen.cells(row) for row in range(SIZE[1])])
    sys.stdout.write(f"{PICTURE}\n")
    return 0


def _friend(house: Children, port: int, name: str, voice: str) -> Program:
    said = _recorded(house.folder, name, voice)
    friend = house.client(port, name, "--room", "den", ui="line", input=f"wav:{said}")
    friend.line("you are in as")
    return friend


def _recorded(folder: Path, name: str, voice: str) -> Path:
    """A voice that talks for two minutes, in a file."""
    path = folder / f"{name}.wav"
    soundfile.write(path, np.tile(script.flowing(script.read(script.VOICES / f"{voice}.flac")), 20), SAMPLE_RATE)
    return path


if __name__ == "__main__":
    sys.exit(main())
