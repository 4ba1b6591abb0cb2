"""Friends in a browser: a Chromium with the page in it, whose microphone and loudspeaker are recorded.

What lives here: ``BrowserFriend``, and the script that records. It stands beside the page and sees what goes
from the microphone into the page's worklet, and what goes to the loudspeaker, sample by sample on one clock.
May import ``testkit.chromium``, numpy, the demo's ``Track`` and the sound format.
"""

import base64
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from testkit.chromium import SOON, Browser, Tab
from voicechat.format import SAMPLE_RATE, Samples

RECORDER: Final = """
(() => {
  const TAP = `registerProcessor('tap', class extends AudioWorkletProcessor {
    constructor() { super(); this.pieces = []; this.count = 0; this.began = Infinity; }
    process(inputs) {
      this.began = Math.min(this.began, Date.now() - this.count / 48);
      this.count += 128;
      const both = new Float32Array(256);
      inputs.forEach(([samples], which) => samples && both.set(samples, 128 * which));
      this.pieces.push(both);
      if (this.pieces.length === 75) { this.port.postMessage([this.began, this.pieces]); this.pieces = []; }
      return true;
    }
  })`;
  const recorded = { began: 0, said: [], heard: [] };
  const connect = AudioNode.prototype.connect;
  const taps = new WeakMap();
  async function tapOf(context) {
    await context.audioWorklet.addModule('data:text/javascript,' + encodeURIComponent(TAP));
    const node = new AudioWorkletNode(context, 'tap',
      { numberOfInputs: 2, numberOfOutputs: 1, channelCount: 1, channelCountMode: 'explicit' });
    node.port.onmessage = ({ data: [began, pieces] }) => {
      recorded.began = began;
      for (const both of pieces) { recorded.said.push(both.subarray(0, 128)); recorded.heard.push(both.subarray(128)); }
    };
    connect.call(node, context.destination);
    return node;
  }
  AudioNode.prototype.connect = function (to, ...rest) {
    const { context } = this;
    const which = to === context.destination ? 1 : this instanceof MediaStreamAudioSourceNode ? 0 : -1;
    if (which >= 0) {
      if (!taps.has(context)) taps.set(context, tapOf(context));
      taps.get(context).then((tap) => connect.call(this, tap, 0, which));
    }
    return connect.call(this, to, ...rest);
  };
  window.recordedSound = (name) => {
    const pieces = recorded[name];
    const samples = new Int16Array(128 * pieces.length);
    pieces.forEach((piece, at) => piece.forEach((sample, k) => {
      samples[128 * at + k] = Math.round(32767 * Math.max(-1, Math.min(1, sample)));
    }));
    const bytes = new Uint8Array(samples.buffer);
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  };
  window.recordedSince = () => recorded.began;
})();
"""


WITHOUT_UDP: Final = "delete window.RTCRtpScriptTransform;"


class BrowserFriend:
    """One friend. ``page`` is the file that they opened, or an address; ``microphone`` what they say, over and over."""

    def __init__(
        self,
        name: str,
        page: Path | str,
        microphone: Path | None,
        *flags: str,
        udp: bool = True,
        within: Sequence[str] = (),
    ) -> None:
        """``udp``: as browsers are; else as one that lets no page put in and take out what WebRTC carries."""
        self.name = name
        self.page = page.as_uri() if isinstance(page, Path) else page
        self.browser = Browser(microphone, *flags, within=within)
        try:
            self.tab: Tab = self.browser.open("about:blank")
            self.tab.call("Page.addScriptToEvaluateOnNewDocument", source=RECORDER + ("" if udp else WITHOUT_UDP))
        except BaseException:
            self.browser.close()
            raise

    def open(self, link: str) -> None:
        """Open the page with an invitation in its address, and see the form."""
        self.tab.goto("about:blank")
        self.tab.until("location.href === 'about:blank'")
        self.tab.goto(f"{self.page}#{link}")
        self.state("ready")
        self.tab.evaluate("document.getElementById('cues').checked = false")

    def join(self) -> None:
        """Press the button; not waited for."""
        self.tab.click("#enter")

    def enter(self, port: int, password: str, room: str = "") -> None:
        """Open, join, and be in."""
        self.open(f"voicechat://127.0.0.1:{port}/{room}%23{password}&name={self.name}")
        self.join()
        self.state("in")

    def state(self, state: str, seconds: float = SOON) -> float:
        """Wait until the page says that it is in this state; the seconds that it took."""
        return self.tab.until(f"document.documentElement.dataset.state === '{state}'", seconds)

    @property
    def heard_frames(self) -> int:
        """Frames that were played so far."""
        return int(self.tab.evaluate("document.documentElement.dataset.heard"))

    def hears_more(self, frames: int = 25, seconds: float = SOON) -> float:
        """Wait until so many frames more were played; the seconds that it took."""
        return self.tab.until(f"document.documentElement.dataset.heard >= {self.heard_frames + frames}", seconds)

    def hears_nothing(self) -> None:
        """Wait until nothing more is played: for half a second no frame was."""
        self.tab.evaluate("window.before = -1")
        looked = "heard === before ? performance.now() - since > 500 : (before = heard, since = performance.now(), 0)"
        self.tab.until(f"(({{heard}}) => {looked})(document.documentElement.dataset)")

    def shows(self, text: str, seconds: float = SOON) -> float:
        """Wait until a text stands on the page."""
        return self.tab.until(f"document.body.innerText.includes({text!r})", seconds)

    def sound(self, which: str) -> tuple[Samples, int]:
        """What was ``said`` or ``heard`` since the sound began, and the monotonic nanoseconds of its first sample."""
        began_ms = float(self.tab.evaluate("recordedSince()"))
        data = base64.b64decode(self.tab.evaluate(f"recordedSound('{which}')"))
        samples: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32767)
        return samples, round(began_ms * 1e6) - time.time_ns() + time.monotonic_ns()

    def loudness(self, seconds: float) -> float:
        """Mean square of what was heard in the last seconds that are recorded."""
        samples, _ = self.sound("heard")
        return float(np.mean(np.square(samples[-round(seconds * SAMPLE_RATE) :])))

    def close(self) -> None:
        """They are gone, without a word."""
        self.browser.close()
