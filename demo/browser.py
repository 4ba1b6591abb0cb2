"""``python -m demo.browser NAME PORT PASSWORD-FILE SECONDS FOLDER``: one friend of the demo, in a browser.

What lives here: what stands in a terminal client's place where ``make demo WEB=1`` asks for it. The microphone is
``said-NAME.wav`` in FOLDER; when the call is over that is what the page was given by it, and beside it stand
``heard-NAME.wav`` and the figures that a client would write. May import the kit and the sound format.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import soundfile

from testkit.browsing import BrowserFriend
from voicechat.format import SAMPLE_RATE

PAGE: Final = Path(__file__).parents[1] / "voicechat" / "web" / "page.html"

FIGURES: Final = "document.getElementById('figures').textContent"
PATH: Final = "document.documentElement.dataset.path"


def main(name: str, port: int, password: str, seconds: float, folder: Path) -> None:
    """Be in the call for so long."""
    friend = BrowserFriend(name, PAGE, folder / f"said-{name}.wav")
    try:
        friend.enter(port, password)
        print(f"you are in as {name}, in a browser", flush=True)
        friend.tab.evaluate("document.getElementById('settings').open = true")
        friend.tab.evaluate(f"new Promise((done) => setTimeout(done, {seconds * 1000}))", seconds + 10)
        told = stats(
            str(friend.tab.evaluate(FIGURES)), str(friend.tab.evaluate("document.documentElement.dataset.path"))
        )
        for which, key in (("said", "in"), ("heard", "out")):
            samples, told["wav"][f"{key}_start_ns"] = friend.sound(which)
            soundfile.write(folder / f"{which}-{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
        (folder / f"stats-{name}.json").write_text(json.dumps(told))
    finally:
        friend.close()


def stats(figures: str, path: str) -> dict[str, Any]:
    """What stands under the page's settings, ``Frames: 377 played, ...``, under a client's names."""
    counts = {name: int(count) for count, name in re.findall(r"(\d+) ([a-z]+)", figures)}
    kinds = ("played", "recovered", "concealed", "late", "dropped")
    return {
        "bytes": {"in": counts["in"], "out": counts["out"]},
        "frames": {kind: counts.get(kind, 0) for kind in kinds},  # a page counts none as recovered: TCP loses none
        "path": path,
        "wav": {},
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_text().strip(), float(sys.argv[4]), Path(sys.argv[5]))
