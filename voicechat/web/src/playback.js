/**
 * Playback: from what is heard to what the loudspeaker's worklet plays, on its beat.
 *
 * THE LOUDSPEAKER IS THE CLOCK. The worklet counts samples, and asks for a frame some milliseconds before
 * it needs it. If what is due has not come by then, the answer waits until it comes, or until the last
 * moment. When a sample will be played is told by the soonest of its last messages: they come in bursts,
 * as the sound system takes them. A talk spurt begins at the very sample that its playout delay asks for.
 * Works in the Worker. May import `hearing` and `sound`.
 */
import { FRAME, RATE, TICK_MS } from './sound.js';
/** @import { Hearing } from './hearing.js' */
/** @import { Media } from './packets.js' */

const SAMPLES_A_MS = RATE / 1000;
/** Messages by which the worklet's clock is told: 1.3 s of asking. */
const BEATS_KEPT = 64;
/** Milliseconds before it is played that a frame is made, or given up: a decoder and two hops. */
const READY_MS = 4;
/** Milliseconds by which the worklet's clock is behind, from which on the device stood still: what was known is over. */
const STOOD_STILL_MS = 250;
/** Milliseconds in which the start of a spurt reaches the worklet. */
const START_MS = 6;

/** Provides one worklet. */
export class Playback {
  /** @param {Hearing} hearing */
  constructor(hearing) {
    this.hearing = hearing;
    /** @type {MessagePort | null} */
    this.port = null;
    /** @type {number[]} */
    this.offsets = [];
    /** Milliseconds of our clock at which sample 0 was played. */
    this.offset = 0;
    this.playing = false;
    /** @type {number | null} the sample for which a frame is owed */
    this.owed = null;
    this.timer = 0;
    this.underruns = 0;
  }

  /**
   * The worklet's end of a channel; a new one after each opening of the sound device.
   * @param {MessagePort} port
   */
  attach(port) {
    this.port?.close();
    this.port = port;
    this.offsets = [];
    this.rested();
    port.onmessage = ({ data }) => this.told(data);
  }

  /** @param {{frame: number, ask?: number, underruns?: number}} told */
  told({ frame, ask, underruns }) {
    const offset = performance.now() - frame / SAMPLES_A_MS;
    if (offset > this.offset + STOOD_STILL_MS) this.offsets = [];
    this.offsets.push(offset);
    if (this.offsets.length > BEATS_KEPT) this.offsets.shift();
    this.offset = Math.min(...this.offsets);
    this.underruns += underruns ?? 0;
    if (ask === undefined) {
      if (!this.playing) this.start();
      return;
    }
    this.owed = ask;
    const left = this.timeOf(ask) - READY_MS - performance.now();
    if (this.hearing.lacks && left > 0) this.timer = setTimeout(() => this.fulfil(), left);
    else this.fulfil();
  }

  /** @param {number} sample */
  timeOf(sample) {
    return this.offset + sample / SAMPLES_A_MS;
  }

  /**
   * A packet to be heard came.
   * @param {Media} packet
   * @param {number} now milliseconds
   */
  arrived(packet, now) {
    this.hearing.put(packet, now / TICK_MS);
    if (!this.playing) this.start();
    else if (this.timer && !this.hearing.lacks) this.fulfil();
  }

  /** Begin at the sample that the first frame is due at; if that is over, later by whole frames. */
  start() {
    const due = this.hearing.dueAt;
    if (due === null || !this.port || !this.offsets.length) return;
    let sample = Math.round((due * TICK_MS - this.offset) * SAMPLES_A_MS);
    const soonest = (performance.now() + START_MS - this.offset) * SAMPLES_A_MS;
    if (sample < soonest) sample += FRAME * Math.ceil((soonest - sample) / FRAME);
    this.playing = true;
    this.port.postMessage({ start: sample });
  }

  async fulfil() {
    clearTimeout(this.timer);
    this.timer = 0;
    const { owed, port } = this;
    this.owed = null;
    if (owed === null) return;
    const pcm = await this.hearing.pull(this.timeOf(owed) / TICK_MS);
    if (port !== this.port) return;
    if (pcm) {
      port?.postMessage({ pcm }, [pcm.buffer]);
    } else {
      port?.postMessage({ rest: true });
      this.rested();
      this.start();
    }
  }

  rested() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.owed = null;
    this.playing = false;
  }

  /** Nothing of what is on its way is to be heard. */
  stop() {
    this.hearing.stop();
  }
}
