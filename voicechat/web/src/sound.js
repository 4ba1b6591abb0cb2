/**
 * Arithmetic on frames of sound: 960 samples, 20 ms at 48 kHz. Pure; may import nothing.
 */

export const RATE = 48000;
/** Samples, milliseconds of a frame. */
export const FRAME = 960;
export const TICK_MS = 20;
/** Samples of a crossfade where two frames are merged: 5 ms, a period of a deep voice. */
const JOINT = 240;
const STEP = 48;

/** @param {Float32Array} pcm */
export function meanSquare(pcm) {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return sum / pcm.length || 0;
}

/**
 * Its gain goes from one to the other.
 * @param {Float32Array} pcm
 * @param {number} from
 * @param {number} to
 */
export function fade(pcm, from, to) {
  const step = (to - from) / pcm.length;
  for (let at = 0; at < pcm.length; at++) pcm[at] *= from + at * step;
}

/**
 * One frame of two: it begins as the first, ends as the second, and changes over where they are most alike.
 * @param {Float32Array} first
 * @param {Float32Array} second
 */
export function merge(first, second) {
  let [best, where] = [-2, 0];
  for (let start = 0; start + JOINT <= FRAME; start += STEP) {
    let [ab, aa, bb] = [0, 0, 1e-12];
    for (let at = start; at < start + JOINT; at++) {
      ab += first[at] * second[at];
      aa += first[at] * first[at];
      bb += second[at] * second[at];
    }
    const alike = ab / Math.sqrt(aa * bb + 1e-12);
    if (alike > best) [best, where] = [alike, start];
  }
  const out = second.slice();
  out.set(first.subarray(0, where));
  for (let at = 0; at < JOINT; at++) {
    const share = at / JOINT;
    out[where + at] = first[where + at] * (1 - share) + second[where + at] * share;
  }
  return out;
}

/** Keeps a sum of voices in range: softer at once where it would clip, and back within 150 ms. */
export class Limiter {
  constructor() {
    this.gain = 1;
  }

  /** @param {Float32Array} pcm */
  apply(pcm) {
    let peak = 0;
    for (const sample of pcm) peak = Math.max(peak, Math.abs(sample));
    const wanted = peak > 0.98 ? 0.98 / peak : 1;
    const before = this.gain;
    this.gain = Math.min(wanted, before + (1 - before) * (TICK_MS / 150));
    if (before === 1 && this.gain === 1) return;
    const from = Math.min(before, wanted);
    for (let at = 0; at < pcm.length; at++) pcm[at] *= from + ((this.gain - from) * at) / pcm.length;
  }
}
