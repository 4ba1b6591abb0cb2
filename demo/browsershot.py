"""``python -m demo.browsershot``: a picture of the page in a call, for the README.

What lives here: three friends with recorded voices at terminals, a fourth in a browser, and the picture of what
that one sees. Writes `docs/pictures/browser.png`. Needs what ``.ci/prepare browser`` installs. May import the kit
and the demo's voices.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from demo import script
from testkit.browsing import BrowserFriend
from testkit.children import PASSWORD, children
from voicechat.format import SAMPLE_RATE

PICTURE: Final = Path("docs", "pictures", "browser.png")
SIZE: Final = (1100, 700)
"""Pixels: two columns, and no more than a README shows."""

LINES: Final = ("who is up for another round?", "give me two minutes", "same map?")


def main() -> int:
    """Take the picture; gives the exit status."""
    with tempfile.TemporaryDirectory() as folder, children(Path(folder)) as house:
        server = house.server("--interface", "127.0.0.1")
        page = Path(__file__).parents[1] / "voicechat" / "web" / "page.html"
        microphone = Path(folder, "voice.wav")
        soundfile.write(microphone, script.flowing(script.read(script.VOICES / "en_f3.flac")), SAMPLE_RATE)
        friend = BrowserFriend("Dana", page, microphone, "--host-resolver-rules=MAP play.example.org 127.0.0.1")
        try:
            friend.open(f"voicechat://play.example.org:{server.port}/den%23{PASSWORD}&name=Dana")
            friend.join()
            friend.state("in")
            for name, voice in script.CAST.items():
                said = Path(folder, f"{name}.wav")
                words = np.tile(script.flowing(script.read(script.VOICES / f"{voice}.flac")), 10)
                soundfile.write(said, words, SAMPLE_RATE)
                options = {"room": "den", "ui": "line", "input": "silence" if name == "Cid" else f"wav:{said}"}
                house.client(server.port, name, **options).line("you are in as")
            friend.hears_more(100)
            for line in LINES:
                friend.tab.evaluate(f"document.getElementById('text').value = {line!r}")
                friend.tab.evaluate("document.getElementById('write').requestSubmit()")
            friend.shows(LINES[-1])
            friend.tab.size(*SIZE)
            friend.tab.until("(document.body.innerText.match(/talks/g) ?? []).length >= 2")
            friend.tab.evaluate("scrollTo(0, 0)")
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            friend.tab.screenshot(PICTURE)
        finally:
            friend.close()
    sys.stdout.write(f"{PICTURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
