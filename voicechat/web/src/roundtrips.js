/**
 * How long pings take to the server and back, and how uneven that is.
 *
 * One that spans a standstill says nothing of the connection (voicechat/session/round_trips.py has the rules).
 * Pure: milliseconds. May import nothing.
 */

/** Round trips that tell how uneven the connection is. */
export const TRIPS_KEPT = 16;
/** Longer than this tells of a standstill. */
const STANDSTILL = 2000;
/** Longer than this, and than twice the usual, is believed if the next one agrees. */
const SUDDEN = 500;

/** The round trips of one connection. */
export class RoundTrips {
  constructor() {
    /** @type {number | null} Smoothed; null while not known. */
    this.usual = null;
    /** @type {number[]} */
    this.kept = [];
    /** The last one was sudden. */
    this.doubted = false;
  }

  /** @param {number} took */
  add(took) {
    if (took > STANDSTILL) return;
    const sudden = this.usual !== null && took > SUDDEN && took > 2 * this.usual;
    const believed = !sudden || this.doubted;
    this.doubted = sudden;
    if (!believed) return;
    this.usual = this.usual === null ? took : this.usual + (took - this.usual) / 4;
    this.kept.push(took);
    if (this.kept.length > TRIPS_KEPT) this.kept.shift();
  }

  /** Too few are known yet. */
  get learning() {
    return this.kept.length < TRIPS_KEPT;
  }

  /** By how many ticks they were longer than the shortest, but for the longest, which may be a hiccup of the start. */
  get lateness() {
    const sorted = [...this.kept].sort((a, b) => a - b).slice(0, -1);
    return sorted.map((took) => (took - sorted[0]) / 20);
  }
}
