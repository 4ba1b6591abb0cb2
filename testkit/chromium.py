"""A real Chromium, driven through a pipe: for what only a browser shows.

What lives here: ``Browser``, a process of its own with a fresh profile and a WAV file for a microphone,
and ``Tab``, one page in it. The DevTools protocol goes over two pipes as JSON with a zero byte behind
each message (``--remote-debugging-pipe``), so nothing is needed but the browser.

Nothing sleeps: a test waits for an event of the browser, with a deadline. May import the standard library.
"""

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

SOON: Final = 20.0
"""Seconds within which anything that a test waits for has happened on a busy machine."""

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at a condition in a page."""

FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--no-first-run",
    # Without these it asks the makers' hosts for updates at each start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that no one has to allow, and a loudspeaker that nobody hears.
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-pipe",
)


class BrowserError(Exception):
    """The browser, or a script in a page, failed; the text says how."""


class Browser:
    """One Chromium. ``microphone`` is what it hears, a WAV file, again and again; None: the browser's own beeps.

    ``within`` are words before its command: of what runs it in another network, say.
    """

    def __init__(self, microphone: Path | None = None, *flags: str, within: Sequence[str] = ()) -> None:
        program = shutil.which("chromium")
        if program is None:
            raise BrowserError("chromium is missing; .ci/prepare browser installs it")
        self._profile = tempfile.TemporaryDirectory(prefix="voicechat-browser-", ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        sound = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
        command = [*within, program, *FLAGS, *sound, *flags, f"--user-data-dir={self._profile.name}", "about:blank"]
        # The browser reads descriptor 3 and writes descriptor 4. (Not by sh: Debian's knows no descriptor above 9.)
        shell = ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command]
        self._process = subprocess.Popen(
            shell,
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers = itertools.count(1)
        self._buffer = b""

    def call(self, method: str, session: str | None = None, seconds: float = SOON, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its answer, which comes within so many seconds."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        deadline = time.monotonic() + seconds
        while True:
            answer = self._next(deadline)
            if answer.get("id") == number:
                break
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._in, 1 << 16) if ready else b""
            if not piece:
                raise BrowserError("the browser does not answer" if not ready else "the browser has ended")
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, url: str) -> "Tab":
        """A new tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session, target)
        tab.goto(url)
        return tab

    def close(self) -> None:
        """End it, and whatever it started."""
        for descriptor in (self._out, self._in):
            os.close(descriptor)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._profile.cleanup()


class Tab:
    """One page."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self.browser = browser
        self._session = session
        self.target = target
        self.call("Page.enable")
        self.call("Runtime.enable")

    def call(self, method: str, seconds: float = SOON, **parameters: Any) -> dict[str, Any]:
        """As `Browser.call`, for this tab."""
        return self.browser.call(method, self._session, seconds, **parameters)

    def goto(self, url: str) -> None:
        """Go there; not waited for."""
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str, seconds: float = SOON) -> Any:
        """The value of an expression of JavaScript; a promise is waited for. BrowserError if it throws."""
        how = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", seconds, **how)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = SOON) -> float:
        """Wait until an expression is true; the seconds that it took. AssertionError says what the page shows then."""
        start = time.monotonic()
        while not self._holds(expression):
            if time.monotonic() - start > seconds:
                shown = self.evaluate("JSON.stringify(document.documentElement.dataset) + document.body.innerText")
                raise AssertionError(f"not within {seconds} s: {expression}\n{shown}")
            select.select([], [], [], LOOK_EVERY)
        return time.monotonic() - start

    def _holds(self, expression: str) -> bool:
        """Whether it is true now; while one page gives way to the next, nothing is."""
        try:
            return bool(self.evaluate(f"Boolean(document.documentElement && ({expression}))"))
        except BrowserError as error:
            if "context" in str(error) or "navigated" in str(error):
                return False
            raise

    def key(self, key: str, code: str, *, down: bool, text: str = "") -> None:
        """Press a key, or let it go, as a keyboard does."""
        kind = ("keyDown" if text else "rawKeyDown") if down else "keyUp"
        number = ord(text) if len(text) == 1 else 0
        self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code, text=text, windowsVirtualKeyCode=number)

    def click(self, selector: str) -> None:
        """Click an element with the mouse, as a person does: a page may begin to play then."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        place = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        box = self.evaluate(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({place})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def size(self, width: int, height: int, *, dark: bool = True) -> None:
        """Pretend a screen of so many pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path) -> None:
        """What it shows, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
