/**
 * The playout delay: how long frames are held so that almost none comes too late.
 *
 * As voicechat/media/playout.py has it, which tells why. A frame's transit is its arrival less its tick,
 * judged against the least of the last ten seconds. How far above that frames come is kept in a histogram
 * that slowly forgets; the delay is the least depth beyond which less than 1.25 % of them come. A stall,
 * and the burst after it, says nothing about jitter.
 * Times are ticks (20 ms) of the local clock, with fractions. Pure. May import nothing.
 */

/** Deepest delay: 280 ms. */
export const DEEPEST = 14;
const LATE_SHARE = 0.0125;
const BIN = 0.125;
const BINS = DEEPEST / BIN;
/** Frames remembered: 10 s of talk. */
const MEMORY = 500;
const LONGEST_MEMORY = 3000;
/** A frame so late is a sign of a stall, where the depth is less than half of that: 200 ms. */
const STALL = 10;
const JUMP = 50;
const DRIFT = 400e-6;
const SETTLED = 50;
const BURST_STEP = 0.9;
const PATIENCE = 25;
const CHOOSE_EVERY = 8;
/** Held before anything is known, and added to what arrivals need: 6 ms, for the hops between worklet, Worker, decoder. */
export const START = 0.35;
export const MARGIN = 0.3;

/** Watches the arrivals of one stream, and says when each of its ticks is to be played. */
export class PlayoutDelay {
  constructor() {
    /** @type {number | null} Least transit of late; null before the first arrival. */
    this.base = null;
    /** Ticks between the earliest possible arrival of a frame and its playing. */
    this.target = START;
    this.bins = new Array(BINS).fill(0);
    this.weight = 0;
    this.scale = 1;
    this.count = 0;
    /** @type {[number, number, number][]} tick, count and transit; transits rise from the first to the last */
    this.lowest = [];
    this.stalled = 0;
    this.stallLowest = 0;
  }

  /**
   * Before the first arrival: packets came over the connection so many ticks later than the fastest.
   * @param {number[]} lateness
   */
  expect(lateness) {
    for (const above of lateness) if (above <= DEEPEST) this.countIn(above);
    if (this.weight) this.choose();
  }

  /** @param {number} tick */
  playAt(tick) {
    return tick + (this.base ?? 0) + this.target;
  }

  /**
   * A frame came for the first time. `burst`: it may be of the pre-roll, whose lateness says nothing.
   * @param {number} tick
   * @param {number} now
   * @param {boolean} marker
   * @param {boolean} burst
   */
  observe(tick, now, marker, burst) {
    const transit = now - tick;
    if (this.base === null || transit < this.base - DEEPEST || (marker && Math.abs(transit - this.base) > JUMP)) {
      this.rebase(tick, transit);
      return;
    }
    const above = transit - this.base;
    if (above > (this.target < STALL / 2 ? STALL : DEEPEST)) {
      this.stall(tick, transit);
      return;
    }
    if (this.stalled) {
      if (above > this.target) return;
      this.stalled = 0;
    }
    if (burst && above > 0) return;
    this.note(tick, transit);
    if (burst) return;
    this.countIn(Math.max(0, transit - (this.base ?? 0)));
    if (this.count % CHOOSE_EVERY === 0 || this.weight < MEMORY / 10) this.choose();
  }

  /**
   * Beyond jitter. A burst after a stall gets faster frame by frame; a longer way does not.
   * @param {number} tick
   * @param {number} transit
   */
  stall(tick, transit) {
    if (!this.stalled || transit < this.stallLowest - 0.5) {
      this.stalled = 1;
      this.stallLowest = transit;
      return;
    }
    this.stallLowest = Math.min(this.stallLowest, transit);
    if (++this.stalled > PATIENCE) this.rebase(tick, this.stallLowest);
  }

  /**
   * @param {number} tick
   * @param {number} transit
   */
  rebase(tick, transit) {
    this.lowest = [[tick, 0, transit]];
    this.count = this.stalled = 0;
    this.base = transit;
  }

  /**
   * The least transit of a window, by a monotonic queue; the histogram moves with it.
   * @param {number} tick
   * @param {number} transit
   */
  note(tick, transit) {
    this.count++;
    const { lowest } = this;
    const lowestAt = lowest.length ? lowest[0][0] : tick;
    while (lowest.length && lowest[lowest.length - 1][2] >= transit) lowest.pop();
    lowest.push([tick, this.count, transit]);
    while (lowest[0][1] <= this.count - MEMORY || lowest[0][0] <= tick - LONGEST_MEMORY) lowest.shift();
    const base = lowest[0][2];
    const old = this.base ?? base;
    if (base < old) {
      const fall = this.count <= SETTLED ? 0 : old - base;
      if (fall >= 2 * BIN + DRIFT * (tick - lowestAt) && fall < BURST_STEP) this.moveUp(Math.round(fall / BIN));
      this.base = base;
    } else if (base - old >= BIN) {
      this.moveDown(Math.round((base - old) / BIN));
      this.base = base;
    }
  }

  /** @param {number} bins */
  moveDown(bins) {
    const by = Math.min(bins, BINS - 1);
    const least = this.bins.slice(0, by + 1).reduce((sum, weight) => sum + weight, 0);
    this.bins = [least, ...this.bins.slice(by + 1), ...new Array(by).fill(0)];
  }

  /** @param {number} bins */
  moveUp(bins) {
    const kept = this.bins.slice(0, BINS - bins);
    kept[kept.length - 1] += this.bins.slice(BINS - bins).reduce((sum, weight) => sum + weight, 0);
    this.bins = [...new Array(bins).fill(0), ...kept];
    this.target = Math.min(DEEPEST, this.target + bins * BIN);
  }

  /** @param {number} above */
  countIn(above) {
    const kept = 1 - 1 / MEMORY;
    this.scale /= kept;
    this.bins[Math.min(BINS - 1, Math.floor(above / BIN))] += this.scale;
    this.weight = this.weight * kept + 1;
    if (this.scale > 1e6) {
      this.bins = this.bins.map((weight) => weight / this.scale);
      this.scale = 1;
    }
  }

  choose() {
    const allowed = LATE_SHARE * this.weight * this.scale;
    let late = 0;
    let depth = BINS;
    while (depth > 0 && (late += this.bins[depth - 1]) <= allowed) depth--;
    this.target = Math.min(DEEPEST, depth * BIN + MARGIN);
  }
}
