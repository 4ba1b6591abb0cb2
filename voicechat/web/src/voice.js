/**
 * One source's sound: its spurt, its decoder, and what becomes of each decoded frame.
 *
 * A decoder of WebCodecs answers later and in order. If it fails it is closed for good: then a fresh one
 * takes its place, and what was asked of the old one is silence.
 * Works in the Worker. May import `packets`, `sound` and `spurt`.
 */
import { FRAME, fade, meanSquare, merge } from './sound.js';
import { Spurt } from './spurt.js';
/** @import { Recipe } from './recipes.js' */

/** Milliseconds after which a decoder that has not answered is given up. */
const ANSWERS_WITHIN = 250;

/** One talker, or the mix. */
export class Voice {
  constructor() {
    this.spurt = new Spurt();
    this.gain = 1;
    /** @type {((pcm: Float32Array | null) => void)[]} */
    this.jobs = [];
    /** Frames decoded since it was last silent: the first ones of a cold decoder are wrong. */
    this.warm = 0;
    /** The last frame was made up. */
    this.concealed = false;
    /** Faults of the decoder. */
    this.faults = 0;
    this.decoder = this.make();
  }

  make() {
    const decoder = new AudioDecoder({
      output: (data) => {
        const pcm = new Float32Array(data.numberOfFrames);
        data.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' });
        data.close();
        this.jobs.shift()?.(pcm.length >= FRAME ? pcm.subarray(0, FRAME) : null);
      },
      error: () => this.renew(decoder),
    });
    decoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 1 });
    return decoder;
  }

  /** @param {AudioDecoder} failed */
  renew(failed) {
    if (failed !== this.decoder) return;
    this.faults++;
    const jobs = this.jobs.splice(0);
    this.close();
    this.decoder = this.make();
    for (const job of jobs) job(null);
  }

  close() {
    if (this.decoder.state !== 'closed') this.decoder.close();
  }

  /**
   * What is heard of it at `at`, before any gain; null for silence.
   * @param {number} at
   * @returns {Promise<Float32Array | null>}
   */
  async pull(at) {
    const recipe = this.spurt.pull(at);
    if (!recipe) {
      this.warm = 0;
      return null;
    }
    this.warm += recipe.payloads.length;
    this.concealed = recipe.concealed;
    return this.sound(recipe, await Promise.all(recipe.payloads.map((payload) => this.decode(payload))));
  }

  /**
   * @param {Recipe} recipe
   * @param {(Float32Array | null)[]} decoded
   */
  sound(recipe, decoded) {
    const last = decoded.at(-1) ?? new Float32Array(FRAME);
    const before = recipe.merge ? decoded.at(-2) : null;
    const pcm = before ? merge(before, last) : last;
    if (!recipe.concealed) this.spurt.level = meanSquare(last);
    if (recipe.from !== 1 || recipe.to !== 1) fade(pcm, recipe.from, recipe.to);
    return pcm;
  }

  /**
   * @param {Uint8Array} payload
   * @returns {Promise<Float32Array | null>}
   */
  decode(payload) {
    const decoder = this.decoder;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.renew(decoder), ANSWERS_WITHIN);
      this.jobs.push((pcm) => {
        clearTimeout(timer);
        resolve(pcm);
      });
      try {
        decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: 0, data: payload }));
      } catch {
        this.renew(decoder);
      }
    });
  }
}
