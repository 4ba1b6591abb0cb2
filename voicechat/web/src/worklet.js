/**
 * The two programs that run on the sound device's thread: the microphone's, and the loudspeaker's.
 *
 * They copy and count. Each talks with the Worker by a port of its own, past the page.
 * May import nothing: it is all that a worklet has.
 */

/** Samples of a frame: 20 ms. */
const TICK = 960;
/** Samples before it is needed that a frame is asked for: 11 ms, one burst of most sound systems. */
const LEAD = 512;
/** The most where frames come too late all the same: 43 ms, for browsers whose threads are slow to hear each other. */
const MOST_LEAD = 2048;
/** Samples between two signs of life while nothing plays: 100 ms. */
const BEAT = 4800;
/** Samples in which a sound that breaks off falls to silence. */
const FALL = 64;

/** Cuts what the microphone gives into frames. */
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frame = new Float32Array(TICK);
    this.filled = 0;
    /** @type {MessagePort | null} */
    this.out = null;
    this.port.onmessage = ({ data }) => (this.out = data);
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const samples = inputs[0]?.[0];
    if (!samples) return true;
    let taken = 0;
    while (taken < samples.length) {
      const piece = samples.subarray(taken, taken + TICK - this.filled);
      this.frame.set(piece, this.filled);
      this.filled += piece.length;
      taken += piece.length;
      if (this.filled === TICK) {
        this.out?.postMessage(this.frame, [this.frame.buffer]);
        this.frame = new Float32Array(TICK);
        this.filled = 0;
      }
    }
    return true;
  }
}

/** Plays the frames that it is given, and asks for the next one in time. */
class Loudspeaker extends AudioWorkletProcessor {
  constructor() {
    super();
    /** @type {MessagePort | null} */
    this.worker = null;
    this.playing = this.asked = false;
    /** Samples of silence before the first frame. */
    this.silence = 0;
    /** @type {Float32Array[]} */
    this.frames = [];
    this.position = 0;
    this.last = 0;
    this.underruns = 0;
    this.told = 0;
    this.lead = LEAD;
    this.port.onmessage = ({ data }) => {
      this.worker = data;
      data.onmessage = (/** @type {MessageEvent} */ event) => this.take(event.data);
      this.tell();
    };
  }

  /** @param {{start?: number, pcm?: Float32Array, rest?: boolean}} message */
  take({ start, pcm, rest }) {
    if (start !== undefined) {
      this.playing = true;
      this.asked = false;
      this.silence = Math.max(0, start - currentFrame);
    } else if (pcm) {
      this.frames.push(pcm);
      this.asked = false;
    } else if (rest) {
      this.playing = this.asked = false;
    }
  }

  /** @param {number} [ask] */
  tell(ask) {
    this.told = currentFrame;
    this.worker?.postMessage({ frame: currentFrame, ask, underruns: this.underruns });
    this.underruns = 0;
  }

  get queued() {
    return this.silence + this.frames.length * TICK - this.position;
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, [[out]]) {
    const quiet = Math.min(this.silence, out.length);
    this.silence -= quiet;
    let filled = quiet;
    while (filled < out.length && this.frames.length) {
      const piece = this.frames[0].subarray(this.position, this.position + out.length - filled);
      out.set(piece, filled);
      filled += piece.length;
      this.position += piece.length;
      if (this.position === TICK) {
        this.frames.shift();
        this.position = 0;
      }
    }
    if (filled < out.length) this.run(out, filled);
    this.last = out[out.length - 1];
    const ahead = this.queued;
    if (this.playing && !this.asked && ahead <= this.lead) {
      this.asked = true;
      this.tell(currentFrame + out.length + ahead);
    } else if (!this.playing && currentFrame - this.told >= BEAT) {
      this.tell();
    }
    return true;
  }

  /**
   * There is nothing to play: what broke off falls softly.
   * @param {Float32Array} out
   * @param {number} from
   */
  run(out, from) {
    const level = from ? out[from - 1] : this.last;
    const end = Math.min(out.length, from + FALL);
    for (let at = from; at < end; at++) out[at] = level * (1 - (at - from + 1) / FALL);
    if (!this.playing || !this.asked) return;
    this.underruns++;
    this.lead = Math.min(MOST_LEAD, this.lead + out.length);
  }
}

registerProcessor('microphone', Microphone);
registerProcessor('loudspeaker', Loudspeaker);
