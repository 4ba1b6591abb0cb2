/**
 * One talker's talk spurt as a listener plays it: payloads sorted by tick, and what is done at each pull.
 *
 * The rules are those of docs/architecture.md ("A stream", drawn from voicechat/media/spurt.py): decide,
 * then act. A `Recipe` names the payloads to decode and what becomes of their sound; `voice` carries it
 * out. A decoder's state cannot be kept here, so what comes after its turn is of no more use.
 * Times are ticks of the local clock, with fractions. Pure. May import `gate`, `playout` and `recipes`.
 */
import { PRE_ROLL, meanSquareOf } from './gate.js';
import { DEEPEST, PlayoutDelay } from './playout.js';
import { ENDS_AFTER, FADES_AFTER, madeUp } from './recipes.js';

/** Frames: 1.28 s, above the deepest playout delay. */
const CAPACITY = 64;
const BEGINS_EARLY = 0.1;
const ACCELERATE_ABOVE = 0.97;
const EXPAND_BELOW = -0.75;
/** Ticks of delay above the target that are cut at once, so that no stall leaves a delay behind. */
const SKIP_ABOVE = PRE_ROLL + 1.5;
/** Skipped frames that are decoded all the same, so that the decoder settles. */
const WARM_WITH = 5;
const MERGE_EVERY = 3;
const STARTING = 2 * PRE_ROLL;
const QUIET = meanSquareOf(-55);
const EXCESS_WEIGHT = 1 / 8;
/** Ticks of silence after which nothing learnt of the way is trusted. */
const RESET_AFTER = 3000;
const STRAGGLERS = 6;

/** @import { Recipe } from './recipes.js' */
/** @typedef {'idle' | 'waiting' | 'playing'} Phase */

/** One source. */
export class Spurt {
  constructor() {
    this.delay = new PlayoutDelay();
    /** @type {Map<number, Uint8Array>} payloads that wait, by tick */
    this.frames = new Map();
    /** @type {Set<number>} ticks that came, the newest CAPACITY of them */
    this.seen = new Set();
    /** @type {Phase} */
    this.phase = 'idle';
    /** The tick that is wanted next. */
    this.next = 0;
    /** @type {number | null} The first tick that is not of this spurt; null while not known. */
    this.end = null;
    this.marker = -CAPACITY;
    this.lastArrival = -Infinity;
    /** @type {number | null} The tick up to which the last spurt was played. */
    this.playedTo = null;
    this.missing = 0;
    this.waited = 0;
    this.excess = 0;
    /** Mean square of the last frame that was heard, which whoever decodes tells. */
    this.level = 0;
    this.sinceMerge = 0;
    this.starting = 0;
    this.toc = 0x48;
    this.counts = { played: 0, concealed: 0, late: 0, dropped: 0 };
  }

  get active() {
    return this.phase !== 'idle';
  }

  /** Ticks that frames are held beyond the earliest possible arrival. */
  get held() {
    return Math.max(0, this.excess + this.delay.target);
  }

  /** When a stream that waits wants its first frame played; null if it does not wait. */
  get dueAt() {
    return this.phase === 'waiting' ? this.delay.playAt(this.next) : null;
  }

  /** Whether a moment of patience is worth it, since the frame that is wanted may still come. */
  get lacks() {
    if (this.phase !== 'playing' || this.missing > FADES_AFTER) return false;
    return this.next !== this.end && !this.frames.has(this.next);
  }

  /**
   * The tick, which never wraps, of 16 bits that came now.
   * @param {number} wire
   * @param {number} now
   */
  unwrap(wire, now) {
    if (this.phase === 'idle' && now - this.lastArrival > RESET_AFTER) {
      this.delay.base = null;
      this.seen.clear();
      this.playedTo = null;
    }
    this.lastArrival = now;
    const near = Math.round(now - (this.delay.base ?? 0));
    return near + (((wire - near + 0x8000) & 0xffff) - 0x8000);
  }

  /**
   * A frame arrived.
   * @param {number} tick as `unwrap` gives it
   * @param {Uint8Array} payload
   * @param {number} now
   * @param {boolean} marker
   */
  put(tick, payload, now, marker) {
    if (this.seen.has(tick)) return;
    this.remember(tick);
    if (marker || this.phase === 'idle' || (this.phase === 'waiting' && tick < this.marker)) this.marker = tick;
    this.delay.observe(tick, now, marker, tick >= this.marker && tick - this.marker <= WARM_WITH);
    if (this.phase === 'idle') {
      const over = marker ? this.playedTo : this.next;
      if (over !== null && tick < over && tick > over - CAPACITY) {
        this.counts.late++;
        return;
      }
      this.begin(tick);
    } else if (tick >= this.next + CAPACITY || (marker && tick <= this.next - CAPACITY)) {
      this.begin(tick);
    } else if (this.phase === 'waiting' && tick < this.next && this.newest - tick < CAPACITY) {
      this.next = tick;
    }
    if (tick < this.next) this.counts.late++;
    else this.frames.set(tick, payload);
  }

  /** @param {number} tick */
  remember(tick) {
    this.seen.add(tick);
    if (this.seen.size > CAPACITY) this.seen.delete(/** @type {number} */ (this.seen.values().next().value));
  }

  /**
   * The spurt ends before this tick.
   * @param {number} tick
   */
  ends(tick) {
    if (this.active) this.end = tick;
  }

  get newest() {
    return Math.max(this.next, ...this.frames.keys());
  }

  /** @param {number} tick */
  begin(tick) {
    this.phase = 'waiting';
    this.end = null;
    this.frames.clear();
    this.next = tick;
  }

  /** End it now; what of it still comes is not heard. */
  stop() {
    if (this.active) this.playedTo = this.next;
    this.begin(this.newest + 1 + STRAGGLERS);
    this.phase = 'idle';
  }

  get quiet() {
    return this.level < QUIET;
  }

  /**
   * What is heard at `at`; null for silence.
   * @param {number} at
   * @returns {Recipe | null}
   */
  pull(at) {
    if (this.phase === 'waiting') this.start(at);
    if (this.phase !== 'playing') return null;
    const late = at - this.delay.playAt(this.next);
    this.excess = this.starting ? late : this.excess + (late - this.excess) * EXCESS_WEIGHT;
    this.starting = Math.max(0, this.starting - 1);
    const skipped = late > SKIP_ABOVE ? this.skip(late) : [];
    if (this.waited && !this.frames.has(this.next) && (this.end !== null || this.frames.size)) this.letGo();
    if (this.end !== null && this.next >= this.end) return this.finish(at);
    return this.frames.has(this.next) ? this.play(skipped) : this.lack();
  }

  /** @param {number} at */
  start(at) {
    const late = at - this.delay.playAt(this.next);
    if (late < -BEGINS_EARLY) return;
    this.phase = 'playing';
    this.missing = this.waited = 0;
    this.excess = late;
    this.level = 0;
    this.sinceMerge = MERGE_EVERY;
    this.starting = STARTING;
  }

  /**
   * Jump to the frame whose time it is, but never past the newest; the last of those between warm the decoder.
   * @param {number} late
   */
  skip(late) {
    if (!this.frames.size) return [];
    const target = Math.min(this.newest, this.next + Math.floor(late));
    const between = [];
    for (; this.next < target; this.next++) {
      const payload = this.take(this.next);
      this.counts.dropped += payload ? 1 : 0;
      if (payload && target - this.next <= WARM_WITH) between.push(payload);
    }
    this.excess = 0;
    return between;
  }

  /** What was waited for is lost, since newer frames or the end came: its time has been concealed. */
  letGo() {
    this.next++;
    this.waited--;
    this.excess--;
  }

  /** @param {number} tick */
  take(tick) {
    const payload = this.frames.get(tick);
    this.frames.delete(tick);
    if (payload) this.toc = payload[0];
    return payload;
  }

  /**
   * The frame that is wanted, and with it a second one where the delay is too deep.
   * @param {Uint8Array[]} skipped
   * @returns {Recipe}
   */
  play(skipped) {
    const from = this.missing > FADES_AFTER ? 0 : 1;
    this.missing = this.waited = 0;
    const payloads = [...skipped, /** @type {Uint8Array} */ (this.take(this.next++))];
    this.counts.played++;
    this.sinceMerge++;
    const mayMerge = this.quiet || this.starting > 0 || this.sinceMerge > MERGE_EVERY;
    const merge = this.excess >= ACCELERATE_ABOVE && mayMerge && this.frames.has(this.next);
    if (merge) {
      payloads.push(/** @type {Uint8Array} */ (this.take(this.next++)));
      this.excess--;
      this.sinceMerge = 0;
      this.counts.dropped++;
    } else if (this.excess <= EXPAND_BELOW && this.excess > -DEEPEST && this.quiet && !this.starting) {
      return this.expand(payloads);
    }
    return { payloads, merge, concealed: false, from, to: 1 };
  }

  /**
   * Too early, and it is quiet: a made-up frame first, and the true one at the next pull.
   * @param {Uint8Array[]} payloads
   * @returns {Recipe}
   */
  expand(payloads) {
    const last = /** @type {Uint8Array} */ (payloads.pop());
    this.frames.set(--this.next, last);
    this.excess++;
    this.counts.played--;
    this.counts.concealed++;
    return madeUp(payloads, this.toc, 0);
  }

  /**
   * The frame is missing. If newer ones are here it is lost, else late: then it is waited for.
   * @returns {Recipe | null}
   */
  lack() {
    if (this.missing >= ENDS_AFTER - 1) {
      this.over();
      return null;
    }
    if (this.frames.size) {
      this.next++;
    } else {
      this.waited++;
      this.excess++;
    }
    this.missing++;
    this.counts.concealed++;
    return madeUp([], this.toc, this.missing);
  }

  /**
   * Its end is reached; the next spurt may lie here already.
   * @param {number} at
   * @returns {Recipe | null}
   */
  finish(at) {
    this.over();
    return this.active ? this.pull(at) : null;
  }

  over() {
    this.playedTo = this.next;
    this.end = null;
    this.missing = this.waited = 0;
    this.phase = this.frames.size ? 'waiting' : 'idle';
    if (this.frames.size) this.next = Math.min(...this.frames.keys());
  }
}
