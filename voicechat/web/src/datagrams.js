/**
 * Sound over UDP: what WebRTC carries for us (docs/wire-protocol.md, 4.3), as seen from the Worker.
 *
 * The browser's own coder and jitter buffer stay out of it. A silent track makes a frame each 20 ms; its
 * bytes are replaced by our next payload, or it is dropped where there is none. What comes is taken before
 * the browser decodes it. So gate, coder, jitter buffer and volumes are the same on both ways, and a change
 * of way is heard as a jitter of the one.
 *
 * Whether datagrams get through is judged as the server does: while we send, its reports tell that some came.
 * Works in the Worker. May import `packets`.
 */
import { isFrame } from './packets.js';
/** @import { Media } from './packets.js' */

/** Samples of RTP's clock in a tick. */
const STAMPS = 960;
/** Payloads that may wait for a frame to carry them: 60 ms; an older one is worth less than the newest. */
const MOST_WAITING_PAYLOADS = 3;
/** Milliseconds of sending without a report that some came, after which sound goes over the WebSocket. */
const UNHEARD_MS = 2000;
/** Milliseconds until the way is tried again, each time twice as long. */
const AGAIN_MS = 5000;
const AGAIN_MOST_MS = 60000;
/** Milliseconds without a frame to put a payload in, from which the track is taken to stand still. */
const NO_CARRIER_MS = 200;

/** @typedef {{expected: number, lost: number, bursts: number}} Loss */
/** @typedef {{writable: WritableStream, readable: ReadableStream, options: 'send' | 'receive'}} Transformer */

/** The way of one connection. */
export class Datagrams {
  /**
   * @param {(packet: Media, now: number) => unknown} media
   * @param {() => void} changed the way is another one
   */
  constructor(media, changed) {
    this.media = media;
    this.changed = changed;
    /** @type {Uint8Array<ArrayBuffer>[]} */
    this.waiting = [];
    /** The browser has a connection. */
    this.connected = false;
    this.carriedAt = -Infinity;
    /** When sending began, or a report came last; Infinity while nothing is sent. */
    this.unheardSince = Infinity;
    this.leftUntil = 0;
    this.pause = AGAIN_MS;
    /** @type {number[]} sequence numbers that came since the last report */
    this.came = [];
    /** @type {number | null} */
    this.newest = null;
    this.was = false;
  }

  /**
   * Whether sound goes this way now.
   * @param {number} now milliseconds
   */
  up(now) {
    if (this.connected && now - this.unheardSince > UNHEARD_MS) {
      this.leftUntil = now + this.pause;
      this.pause = Math.min(AGAIN_MOST_MS, 2 * this.pause);
      this.unheardSince = Infinity;
    }
    const is = this.connected && now >= this.leftUntil && now - this.carriedAt < NO_CARRIER_MS;
    if (is !== this.was) {
      this.was = is;
      this.unheardSince = Infinity;
      this.waiting = [];
      this.changed();
    }
    return is;
  }

  /** The connection is over, with all that was learnt of this way. */
  reset() {
    this.connected = false;
    this.pause = AGAIN_MS;
    this.leftUntil = 0;
    this.came = [];
    this.newest = null;
    this.up(performance.now());
  }

  /**
   * A frame, or a single byte that ends a spurt.
   * @param {Uint8Array<ArrayBuffer>} payload
   */
  send(payload) {
    this.unheardSince = Math.min(this.unheardSince, performance.now());
    this.waiting.push(payload);
    if (this.waiting.length > MOST_WAITING_PAYLOADS) this.waiting.shift();
  }

  /** The server tells what came of ours. @param {Loss} loss */
  reported({ expected, lost }) {
    if (expected <= lost) return;
    this.unheardSince = Infinity;
    this.pause = AGAIN_MS;
  }

  /** One direction of the browser's connection. @param {Transformer} transformer */
  attach({ readable, writable, options }) {
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const each = options === 'send' ? (/** @type {any} */ frame) => this.carry(frame, writer) : (/** @type {any} */ frame) => this.take(frame);
    const next = async () => {
      for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) each(value);
    };
    // It ends when the browser's connection does.
    next().catch(() => {});
  }

  /**
   * @param {RTCEncodedAudioFrame} frame
   * @param {WritableStreamDefaultWriter} writer
   */
  carry(frame, writer) {
    this.carriedAt = performance.now();
    const payload = this.waiting.shift();
    if (!payload) return;
    frame.data = payload.buffer;
    writer.write(frame).catch(() => {});
  }

  /** @param {RTCEncodedAudioFrame} frame */
  take(frame) {
    const now = performance.now();
    const { rtpTimestamp = 0, contributingSources = [], sequenceNumber } = frame.getMetadata();
    const payload = new Uint8Array(frame.data.slice(0));
    if (sequenceNumber !== undefined && this.came.length < 1000) this.came.push(sequenceNumber);
    const end = payload.length <= 2;
    if (!end && !isFrame(payload)) return;
    const tick = Math.round(rtpTimestamp / STAMPS) & 0xffff;
    const none = { marker: false, offset: 0, redundant: null, pair: false };
    this.media({ source: contributingSources[0] ?? 0, tick, payload: end ? payload.subarray(0, 0) : payload, end, ...none }, now);
  }

  /** What there was since the last report, by the numbers of the packets; null if nothing came. */
  loss() {
    const { came } = this;
    this.came = [];
    if (!came.length) return null;
    const start = this.newest ?? came[0] - 1;
    const ahead = [...new Set(came.map((number) => ((number - start + 0x8000) & 0xffff) - 0x8000))];
    const sorted = ahead.filter((number) => number > 0).sort((a, b) => a - b);
    const last = sorted.at(-1) ?? 0;
    this.newest = (start + last) & 0xffff;
    const bursts = sorted.filter((number, at) => number - (sorted[at - 1] ?? 0) > 1).length;
    return { expected: last, lost: last - sorted.length, bursts };
  }
}
