/**
 * What a server may say, field by field (docs/wire-protocol.md, 6): read from JSON, or WireError.
 *
 * Nothing of a message is shown before it has been through here. May import `bytes`, `packets`, `texts`.
 */
import { WireError, fromHex } from './bytes.js';
import { decodeControl } from './packets.js';
import { shownText } from './texts.js';
/** @import { Ticket } from './login.js' */

/**
 * @typedef {object} Person
 * @property {number} source
 * @property {string} name
 * @property {boolean} away
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {string} quality
 */

/**
 * @typedef {object} Welcome
 * @property {'welcome'} kind
 * @property {number} source
 * @property {string} name
 * @property {string} room
 * @property {Person[]} roster
 * @property {number} bitrate
 * @property {Ticket | null} ticket
 * @property {boolean} letters
 * @property {boolean} rtc it takes an offer of WebRTC
 * @property {Record<string, unknown>} fields all of them, for what this module does not know
 */

/**
 * @typedef {Welcome
 *   | {kind: 'joined', person: Person}
 *   | {kind: 'left', source: number, reason: string}
 *   | {kind: 'away' | 'back', source: number}
 *   | {kind: 'talk', source: number, talking: boolean, wayMs: number | null, heldMs: number | null}
 *   | {kind: 'state', source: number, muted: boolean, deafened: boolean}
 *   | {kind: 'text', source: number, text: string}
 *   | {kind: 'ping' | 'pong', id: number}
 *   | {kind: 'report', expected: number, lost: number, bursts: number}
 *   | {kind: 'accept', ufrag: string, password: string, fingerprint: string, ssrc: number}
 *   | {kind: 'bye', reason: string, retry: number}
 *   | {kind: 'other'}} Message
 */

const MOST_COUNT = 2 ** 53;

/** The fields of one message, each asked for with its type. */
class Fields {
  /** @param {unknown} fields */
  constructor(fields) {
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new WireError('no object');
    this.fields = /** @type {Record<string, unknown>} */ (fields);
  }

  /**
   * @param {string} name
   * @param {number} least
   * @param {number} most
   * @param {number} [otherwise] where it is left out
   */
  whole(name, least, most, otherwise) {
    const value = this.fields[name] ?? otherwise;
    if (!Number.isInteger(value)) throw new WireError(`${name} is no whole number`);
    return this.number(name, least, most, otherwise);
  }

  /**
   * @param {string} name
   * @param {number} least
   * @param {number} most
   * @param {number} [otherwise]
   */
  number(name, least, most, otherwise) {
    const value = this.fields[name] ?? otherwise;
    if (typeof value !== 'number' || !(value >= least && value <= most)) throw new WireError(`${name} is out of range`);
    return value;
  }

  /** @param {string} name */
  flag(name) {
    const value = this.fields[name] ?? false;
    if (typeof value !== 'boolean') throw new WireError(`${name} is neither true nor false`);
    return value;
  }

  /**
   * @param {string} name
   * @param {number} most characters
   * @param {string} [otherwise]
   */
  text(name, most, otherwise) {
    const value = this.fields[name] ?? otherwise;
    if (typeof value !== 'string' || value.length > 2 * most) throw new WireError(`${name} is no text of a fit length`);
    return shownText(value);
  }
}

const LAST = 250;
const NAME = 128;
const LINE = 500;

/**
 * @param {unknown} value
 * @returns {Person}
 */
function person(value) {
  const fields = new Fields(value);
  return {
    source: fields.whole('source', 1, LAST),
    name: fields.text('name', NAME),
    away: fields.flag('away'),
    muted: fields.flag('muted'),
    deafened: fields.flag('deafened'),
    quality: quality(fields),
  };
}

/** @param {Fields} fields */
function quality(fields) {
  const word = fields.text('quality', 32, 'normal');
  return word === 'saver' || word === 'high' ? word : 'normal';
}

/**
 * @param {unknown} value
 * @returns {Ticket | null}
 */
function ticket(value) {
  if (value === undefined || value === null) return null;
  const fields = new Fields(value);
  const [id, secret] = [fields.text('id', 32), fields.text('secret', 64)];
  if (!/^[0-9a-f]{32}$/.test(id) || !/^[0-9a-f]{64}$/.test(secret)) throw new WireError('no ticket');
  return { id: fromHex(id), secret: fromHex(secret) };
}

/**
 * @param {Fields} fields
 * @returns {Welcome}
 */
function welcome(fields) {
  const roster = fields.fields.roster;
  if (!Array.isArray(roster) || roster.length > 20) throw new WireError('no roster');
  const words = fields.fields.capabilities;
  return {
    kind: 'welcome',
    source: fields.whole('source', 1, LAST),
    name: fields.text('name', NAME),
    room: fields.text('room', NAME),
    roster: roster.map(person),
    bitrate: fields.whole('bitrate', 8000, 64000, 12000),
    ticket: ticket(fields.fields.ticket),
    letters: Array.isArray(words) && words.includes('letters'),
    rtc: Array.isArray(words) && words.includes('rtc'),
    fields: fields.fields,
  };
}

/**
 * @param {Fields} fields
 * @param {string} name
 */
const optionalMs = (fields, name) => (fields.fields[name] == null ? null : fields.whole(name, 0, 60000));

/**
 * A text that goes into SDP, and so holds nothing but what it may.
 * @param {Fields} fields
 * @param {string} name
 * @param {RegExp} shape
 */
function shaped(fields, name, shape) {
  const text = fields.text(name, 256);
  if (!shape.test(text)) throw new WireError(`no ${name}`);
  return text;
}

/** @type {Record<string, (fields: Fields) => Message>} */
const READERS = {
  welcome,
  joined: (fields) => ({ kind: 'joined', person: person(fields.fields.participant) }),
  left: (fields) => ({ kind: 'left', source: fields.whole('source', 1, LAST), reason: fields.text('reason', LINE, '') }),
  away: (fields) => ({ kind: 'away', source: fields.whole('source', 1, LAST) }),
  back: (fields) => ({ kind: 'back', source: fields.whole('source', 1, LAST) }),
  talk: (fields) => ({
    kind: 'talk',
    source: fields.whole('source', 1, LAST),
    talking: fields.flag('talking'),
    wayMs: optionalMs(fields, 'way_ms'),
    heldMs: optionalMs(fields, 'held_ms'),
  }),
  state: (fields) => ({
    kind: 'state',
    source: fields.whole('source', 0, LAST, 0),
    muted: fields.flag('muted'),
    deafened: fields.flag('deafened'),
  }),
  text: (fields) => ({ kind: 'text', source: fields.whole('source', 0, LAST, 0), text: fields.text('text', LINE) }),
  ping: (fields) => ({ kind: 'ping', id: fields.whole('id', 0, MOST_COUNT) }),
  pong: (fields) => ({ kind: 'pong', id: fields.whole('id', 0, MOST_COUNT) }),
  report: (fields) => ({
    kind: 'report',
    expected: fields.whole('expected', 0, MOST_COUNT),
    lost: fields.whole('lost', 0, MOST_COUNT),
    bursts: fields.whole('bursts', 0, MOST_COUNT),
  }),
  accept: (fields) => ({
    kind: 'accept',
    ufrag: shaped(fields, 'ufrag', /^[A-Za-z0-9+/]{4,256}$/),
    password: shaped(fields, 'password', /^[A-Za-z0-9+/]{22,256}$/),
    fingerprint: shaped(fields, 'fingerprint', /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/),
    ssrc: fields.whole('ssrc', 1, 2 ** 32 - 1),
  }),
  bye: (fields) => ({
    kind: 'bye',
    reason: fields.text('reason', LINE, ''),
    retry: fields.number('retry', 0, 3600, 0),
  }),
};

/**
 * The message of a control packet; of a kind that says nothing to a page: `other`.
 * @param {Uint8Array} packet
 * @returns {Message}
 */
export function readMessage(packet) {
  const read = decodeControl(packet);
  const reader = read && READERS[read.kind];
  return reader ? reader(new Fields(read.fields)) : { kind: 'other' };
}
