/**
 * The gate: whether the microphone carries talk in this frame.
 *
 * The rules, figures and reasons are those of voicechat/media/gate.py and docs/tuning.md: the least
 * smoothed level of eight seconds is the noise floor; a frame 6 dB above it opens on trial; three steady
 * frames in a row confirm talk, each of which prolongs the hang-over up to 300 ms; after two trials that
 * failed only confirmed talk opens. The 60 ms before the opening are sent, too (PRE_ROLL, `Uplink`).
 * Pure. May import nothing.
 */

/** Frames before the opening that belong to the spurt: 60 ms. */
export const PRE_ROLL = 3;

/** @param {number} db */
export const meanSquareOf = (db) => 10 ** (db / 10);

const OPENS_ABOVE = meanSquareOf(6);
const TALK_ABOVE = meanSquareOf(4);
const LINGERS = meanSquareOf(-3);
const STEADY = meanSquareOf(-8);
const PEAK_FALLS = meanSquareOf(-1);
const GUARD = meanSquareOf(-56);
const DIGITAL_SILENCE = meanSquareOf(-96);
const SMOOTHING = 0.2;
/** Ticks: a window of the search for the floor, and how many of them there are. */
const WINDOW = 50;
const WINDOWS = 8;
const HANG_OVER = 15;
const TRIAL = 4;
const TRUST = 3;
const SURE_AFTER = 4;
const FAILURES = 2;
const WARY = 1000;
/** Ticks that a talk key goes on after it was let go: 200 ms. */
const RELEASE = 10;

/** @typedef {'voice' | 'open' | 'shut' | 'muted'} GateMode who decides: the level, or a key that is held, or is not */

/** The gate of one microphone. */
export class Gate {
  constructor() {
    /** @type {GateMode} */
    this.mode = 'voice';
    /** @type {GateMode} */
    this.before = 'voice';
    /** The mean square that opens it now. */
    this.opensAt = GUARD;
    this.talkAt = GUARD;
    this.last = this.lastButOne = this.peak = 0;
    this.trial = false;
    this.confirmed = this.failed = this.waryFor = this.openFor = 0;
    this.smoothed = this.least = this.floor = 0;
    /** @type {number[]} */
    this.minima = [];
    this.left = 0;
  }

  /** What the level alone says of the last frame: for the hint of one who talks while muted. */
  get talk() {
    return this.confirmed >= SURE_AFTER;
  }

  /**
   * The mean square of the next frame; true if the frame belongs to talk.
   * @param {number} level
   */
  push(level) {
    this.learn(level);
    const talk = this.isTalk(level);
    const { mode, before } = this;
    this.before = mode;
    if (mode === 'voice') {
      if (talk) return this.confirm();
      if (this.withoutTalk(level)) return true;
    } else {
      if (talk) this.confirmed++;
      else if (level < this.opensAt) this.confirmed = 0;
      if (mode === 'open') {
        this.openFor = RELEASE;
        return true;
      }
      if (mode === 'muted' || before === 'voice') this.openFor = 0;
    }
    if (!this.openFor) return false;
    this.openFor--;
    return true;
  }

  /** @param {number} level */
  isTalk(level) {
    const least = Math.min(level, this.last, this.lastButOne);
    this.lastButOne = this.last;
    this.last = level;
    this.peak = Math.max(level, this.peak * PEAK_FALLS);
    return least >= this.talkAt && least >= this.peak * STEADY;
  }

  confirm() {
    this.confirmed++;
    this.trial = false;
    if (this.confirmed === SURE_AFTER) this.failed = this.waryFor = 0;
    this.openFor = Math.max(this.openFor, Math.min(TRIAL + this.confirmed * TRUST, HANG_OVER));
    return true;
  }

  /** @param {number} level */
  withoutTalk(level) {
    if (this.waryFor) this.waryFor--;
    if (this.openFor) {
      if (this.confirmed < SURE_AFTER || level < this.opensAt) return false;
      this.openFor = HANG_OVER;
      return true;
    }
    if (this.trial) {
      if (level >= this.opensAt * LINGERS) return true;
      if (++this.failed >= FAILURES) this.waryFor = WARY;
    }
    this.confirmed = 0;
    this.trial = !this.waryFor && level >= this.opensAt;
    if (this.trial) this.openFor = TRIAL;
    return this.trial;
  }

  /** @param {number} level */
  learn(level) {
    if (!this.smoothed) {
      if (level < DIGITAL_SILENCE) return;
      this.smoothed = this.least = level;
      this.left = WINDOW;
    }
    this.smoothed += SMOOTHING * (level - this.smoothed);
    if (this.smoothed < this.least) {
      this.least = this.smoothed;
      if (this.smoothed < this.floor) this.settle(this.smoothed);
    }
    if (--this.left) return;
    this.minima.push(this.least);
    if (this.minima.length === WINDOWS) {
      this.settle(Math.min(...this.minima));
      this.minima.shift();
    }
    this.least = this.smoothed;
    this.left = WINDOW;
  }

  /** @param {number} floor */
  settle(floor) {
    this.floor = floor;
    this.opensAt = Math.max(GUARD, floor * OPENS_ABOVE);
    this.talkAt = Math.max(GUARD, floor * TALK_ABOVE);
  }
}
