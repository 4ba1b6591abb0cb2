/**
 * Packets as bytes: media (docs/wire-protocol.md, 5) and control (6).
 *
 * A parser gives a value or throws WireError, whatever it is fed. May import `bytes`.
 */
import { WireError, concat, utf8 } from './bytes.js';
/** @import { Bytes } from './bytes.js' */

/** The source of a listener's own mix; of what one sends oneself. */
export const MIX = 0;
export const ME = 0xff;
const LAST_SOURCE = 250;
const MOST_PAYLOAD = 400;

const CONTROL = 0x80;
const MARKER = 0x40;
const END = 0x20;
const PAIR = 0x10;
const OFFSET = 0x03;

/**
 * @typedef {object} Media one frame of one source, or the end of its talk spurt
 * @property {number} source
 * @property {number} tick 16 bits
 * @property {Uint8Array} payload empty only at an end
 * @property {boolean} marker
 * @property {boolean} end
 * @property {number} offset of the redundant frame, 0 for none
 * @property {Uint8Array | null} redundant
 * @property {boolean} pair the redundant frame comes for the first time
 */

/**
 * Whether a packet is media; else it is control.
 * @param {Uint8Array} packet
 */
export function isMedia(packet) {
  return packet.length > 0 && packet[0] < CONTROL;
}

/**
 * The packet of one frame of mine; `redundant` is the frame of `offset` ticks before.
 * @param {number} tick
 * @param {Uint8Array} payload
 * @param {{marker?: boolean, end?: boolean, offset?: number, redundant?: Uint8Array | null}} [more]
 * @returns {Bytes}
 */
export function encodeMedia(tick, payload, { marker, end, offset, redundant } = {}) {
  const aboard = redundant && redundant.length < 256 ? redundant : null;
  const flags = (marker ? MARKER : 0) | (end ? END : 0) | ((aboard && offset) || 0);
  const head = Uint8Array.of(flags, ME, (tick >> 8) & 255, tick & 255);
  return aboard ? concat(head, Uint8Array.of(aboard.length), aboard, payload) : concat(head, payload);
}

/**
 * @param {Uint8Array} packet
 * @returns {Media}
 */
export function decodeMedia(packet) {
  const [flags, source, high, low] = packet;
  const offset = flags & OFFSET;
  const pair = (flags & PAIR) !== 0;
  const end = (flags & END) !== 0;
  if (packet.length < 4 || flags & (CONTROL | 0x0c)) throw new WireError('no media packet');
  if (source > LAST_SOURCE && source !== ME) throw new WireError('unknown media source');
  let from = 4;
  let redundant = null;
  if (offset) {
    from = 5 + (packet[4] ?? 0);
    redundant = packet.slice(5, from);
    if (!redundant.length || redundant.length !== packet[4]) throw new WireError('redundant frame cut off');
  }
  const payload = packet.slice(from);
  if ((pair && offset !== 1) || payload.length > MOST_PAYLOAD || (!payload.length && !end)) {
    throw new WireError('a media packet that cannot be');
  }
  return { source, tick: (high << 8) | low, payload, marker: (flags & MARKER) !== 0, end, offset, redundant, pair };
}

/**
 * A pair as the two packets that it stands for; any other packet alone.
 * @param {Media} packet
 * @returns {Media[]}
 */
export function singles(packet) {
  if (!packet.pair || !packet.redundant) return [packet];
  const plain = { ...packet, offset: 0, redundant: null, pair: false };
  const first = { ...plain, tick: (packet.tick - 1) & 0xffff, payload: packet.redundant, end: false };
  return [first, { ...plain, marker: false }];
}

/** Whether a payload can be a frame of ours: mono, 20 ms, code 0 (RFC 6716, 3.1). */
const TWENTY_MS = new Set([1, 5, 9, 13, 15, 19, 23, 27, 31]);

/** @param {Uint8Array} payload */
export function isFrame(payload) {
  return payload.length > 0 && payload.length <= MOST_PAYLOAD && !(payload[0] & 7) && TWENTY_MS.has(payload[0] >> 3);
}

/** The kinds of control packets, by name. */
export const KINDS = {
  welcome: 0x80,
  joined: 0x81,
  left: 0x82,
  away: 0x83,
  back: 0x84,
  talk: 0x85,
  state: 0x86,
  gain: 0x87,
  text: 0x88,
  ping: 0x89,
  pong: 0x8a,
  path: 0x8b,
  report: 0x8c,
  bye: 0x8d,
  request: 0x8e,
  offer: 0x8f,
  accept: 0x90,
};

/** @typedef {keyof typeof KINDS} Kind */

/** @type {Map<number, Kind>} */
const NAMES = new Map(Object.entries(KINDS).map(([name, kind]) => [kind, /** @type {Kind} */ (name)]));

const STRICT = new TextDecoder('utf-8', { fatal: true });

/**
 * @param {Kind} kind
 * @param {object} fields
 */
export function encodeControl(kind, fields) {
  return concat(Uint8Array.of(KINDS[kind]), utf8(JSON.stringify(fields)));
}

/**
 * The kind and the fields of a control packet; null for a kind that this version does not know.
 * @param {Uint8Array} packet
 * @returns {{kind: Kind, fields: Record<string, unknown>} | null}
 */
export function decodeControl(packet) {
  if (!(packet[0] >= CONTROL)) throw new WireError('no control packet');
  const kind = NAMES.get(packet[0]);
  if (!kind) return null;
  let fields;
  try {
    fields = JSON.parse(STRICT.decode(packet.subarray(1)));
  } catch {
    throw new WireError(`malformed ${kind}`);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new WireError(`malformed ${kind}`);
  return { kind, fields };
}
