/**
 * Everything that is heard, one frame at a time: a voice for each source, and which of them sound.
 *
 * The server sends either talkers' own packets or its mix of them (source 0), and for a few frames both
 * when it changes: the old way is heard until the new one's decoder is warm, then one fades into the other.
 * Works in the Worker. Times are ticks of its clock. May import `packets`, `sound` and `voice`.
 */
import { MIX, isFrame, singles } from './packets.js';
import { FRAME, Limiter, fade } from './sound.js';
import { Voice } from './voice.js';
/** @import { Media } from './packets.js' */

/** Sources kept at once, the mix among them. */
const MOST_VOICES = 16;
/** Frames of a new way that are decoded and not heard. */
const WARM_FRAMES = 2;

/** @typedef {{source: number, voice: Voice, pcm: Float32Array}} Sounding */

/** Packets in, frames out. */
export class Hearing {
  constructor() {
    /** @type {Map<number, Voice>} */
    this.voices = new Map();
    /** @type {Map<number, number>} how loud each friend is for me, linear */
    this.gains = new Map();
    /** The mix was heard last, not a talker directly. */
    this.mixed = false;
    this.limiter = new Limiter();
    /** Asked when a source is first heard: by how many ticks packets came later than the fastest. */
    this.lateness = () => /** @type {number[]} */ ([]);
    /** Frames that were heard as they were sent. */
    this.heard = 0;
    /** Ticks that the last frames were held back, smoothed. */
    this.held = 0;
    /** What was counted of those who are gone. */
    this.gone = { played: 0, concealed: 0, late: 0, dropped: 0 };
  }

  /**
   * @param {Media} packet
   * @param {number} now
   */
  put(packet, now) {
    if (!this.voices.has(packet.source) && packet.end && !packet.payload.length) return;
    const { spurt } = this.voice(packet.source);
    for (const single of singles(packet)) {
      const tick = spurt.unwrap(single.tick, now);
      if (single.redundant && isFrame(single.redundant)) spurt.put(tick - single.offset, single.redundant, now, false);
      if (isFrame(single.payload)) spurt.put(tick, single.payload, now, single.marker);
      if (single.end) spurt.ends(tick + (single.payload.length ? 1 : 0));
    }
  }

  /** @param {number} source */
  voice(source) {
    let voice = this.voices.get(source);
    if (voice) return voice;
    if (this.voices.size >= MOST_VOICES) this.dropOne();
    voice = new Voice();
    voice.spurt.delay.expect(this.lateness());
    this.voices.set(source, voice);
    return voice;
  }

  /** The talker who was unheard for longest gives way; never the mix. */
  dropOne() {
    const talkers = [...this.voices].filter(([source]) => source !== MIX);
    talkers.sort(([, a], [, b]) => a.spurt.lastArrival - b.spurt.lastArrival);
    this.forget(talkers[0][0]);
  }

  /** @param {number} source */
  forget(source) {
    const voice = this.voices.get(source);
    voice?.close();
    this.voices.delete(source);
    this.gains.delete(source);
    if (voice) this.gone = added(this.gone, voice.spurt.counts);
  }

  /** Nothing of what is on its way is to be heard any more. */
  stop() {
    for (const { spurt } of this.voices.values()) spurt.stop();
  }

  get active() {
    return [...this.voices.values()].some(({ spurt }) => spurt.active);
  }

  /** A frame that is to be heard next may still come. */
  get lacks() {
    return [...this.voices.values()].some(({ spurt }) => spurt.lacks);
  }

  /** When the first frame of a stream that waits is to be played; null if none waits, or something plays. */
  get dueAt() {
    const due = [];
    for (const { spurt } of this.voices.values()) {
      if (spurt.phase === 'playing') return null;
      if (spurt.dueAt !== null) due.push(spurt.dueAt);
    }
    return due.length ? Math.min(...due) : null;
  }

  /** How many frames of all were made up, came too late, or were taken out. */
  get counts() {
    return [...this.voices.values()].reduce((sum, { spurt }) => added(sum, spurt.counts), this.gone);
  }

  /**
   * What is heard at `at`; null when nothing more is on its way.
   * @param {number} at
   * @returns {Promise<Float32Array | null>}
   */
  async pull(at) {
    const active = [...this.voices].filter(([, { spurt }]) => spurt.active);
    const pulled = await Promise.all(
      active.map(async ([source, voice]) => ({ source, voice, pcm: await voice.pull(at) })),
    );
    const sounding = /** @type {Sounding[]} */ (pulled.filter(({ pcm }) => pcm));
    if (!sounding.length && !this.active) return null;
    const out = this.choose(
      sounding.filter(({ source }) => source !== MIX),
      sounding.filter(({ source }) => source === MIX),
    );
    this.limiter.apply(out);
    return out;
  }

  /**
   * Which way is heard, and the change from one to the other.
   * @param {Sounding[]} forwarded
   * @param {Sounding[]} mix
   */
  choose(forwarded, mix) {
    const [old, fresh] = this.mixed ? [mix, forwarded] : [forwarded, mix];
    if (!fresh.length) return this.sum(old);
    if (old.length && fresh.every(({ voice }) => voice.warm <= WARM_FRAMES)) return this.sum(old);
    this.mixed = !this.mixed;
    if (!old.length) return this.sum(fresh);
    const [ends, begins] = [this.sum(old, false), this.sum(fresh)];
    fade(ends, 1, 0);
    fade(begins, 0, 1);
    for (const { voice } of old) voice.spurt.stop();
    for (let at = 0; at < FRAME; at++) begins[at] += ends[at];
    return begins;
  }

  /**
   * The sum of some voices, each as loud as is wished.
   * @param {Sounding[]} sounding
   */
  sum(sounding, counts = true) {
    const out = new Float32Array(FRAME);
    for (const { source, voice, pcm } of sounding) {
      const gain = source === MIX ? 1 : (this.gains.get(source) ?? 1);
      fade(pcm, voice.gain, gain);
      voice.gain = gain;
      for (let at = 0; at < FRAME; at++) out[at] += pcm[at];
      if (counts && !voice.concealed) this.heard++;
      this.held += (voice.spurt.held - this.held) / 16;
    }
    return out;
  }
}

/** @typedef {{played: number, concealed: number, late: number, dropped: number}} Counts */

/**
 * @param {Counts} a
 * @param {Counts} b
 * @returns {Counts}
 */
function added(a, b) {
  return {
    played: a.played + b.played,
    concealed: a.concealed + b.concealed,
    late: a.late + b.late,
    dropped: a.dropped + b.dropped,
  };
}
