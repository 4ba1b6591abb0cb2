/**
 * Getting in: with the password (HELLO, REPLY, AUTH, WELCOME), or with a ticket (RESUME, RESUMED).
 *
 * Strings in, strings out (docs/wire-protocol.md, 2). One object for one try. The packets that it
 * seals and opens are control packets, which it does not look into.
 * May import `bytes`, `keys` and `spake2`.
 */
import { WireError, concat, same, utf8 } from './bytes.js';
import { SessionKeys, hmac } from './keys.js';
import { Spake2 } from './spake2.js';
/** @import { Bytes } from './bytes.js' */

const VERSION = 1;
const HELLO = 1;
const REPLY = 2;
const AUTH = 3;
const WELCOME = 4;
const RESUME = 5;
const RESUMED = 6;
const REFUSE = 0x7f;

/** REFUSE's reasons. */
export const Reason = { VERSION: 1, PASSWORD: 2, TRY_LATER: 4, SHUTTING_DOWN: 5, MALFORMED: 6, TICKET: 7 };

/** The server says no, in the clear. */
export class Refused extends Error {
  /**
   * @param {number} reason one of Reason, or one that this version does not know
   * @param {number} retry seconds, 0 for nothing said
   * @param {number} newest the newest version that the server speaks
   */
  constructor(reason, retry, newest) {
    super('refused');
    this.reason = reason;
    this.retry = retry;
    this.newest = newest;
  }
}

/** The server does not have the password: it is not the host's, or another password is. */
export class WrongServer extends Error {}

/** @typedef {(length: number) => Uint8Array} Random */

/** @param {number} type */
const head = (type) => Uint8Array.of(0x56, 0x43, VERSION, type);

/**
 * What follows the head of a string of `type`. Refused if it is a REFUSE, WireError if it is anything else.
 * @param {Uint8Array} string
 * @param {number} type
 * @param {number} least bytes behind the head
 * @param {number} most
 * @returns {Bytes}
 */
function body(string, type, least, most) {
  if (string[0] !== 0x56 || string[1] !== 0x43 || string.length < 4) throw new WireError('no string of voicechat');
  if (string[3] === REFUSE && string.length === 8) throw new Refused(string[4], string[5], string[6]);
  if (string[2] !== VERSION) throw new Refused(Reason.VERSION, 0, string[2]);
  const length = string.length - 4;
  if (string[3] !== type || length < least || length > most) throw new WireError('a string out of turn');
  return new Uint8Array(string.subarray(4));
}

const MOST = 4092;
const PROOF = 32;
const TAG = 16;
const NONCE = 16;

/** A login with the password. */
export class PasswordLogin {
  /**
   * @param {Spake2} pake
   * @param {Uint8Array} id
   */
  constructor(pake, id) {
    this.pake = pake;
    this.first = concat(head(HELLO), id, utf8('A'), pake.message);
    /** @type {Bytes} */
    this.transcript = this.first;
    /** @type {SessionKeys | null} */
    this.keys = null;
  }

  /**
   * @param {string} password
   * @param {Random} random
   */
  static async begin(password, random) {
    return new PasswordLogin(await Spake2.begin(password, random), random(16));
  }

  /**
   * A string of the server's, and what comes of it: one to send back, or the packet of the welcome.
   * @param {Uint8Array} string
   * @param {Bytes} request the packet that asks for a seat
   * @returns {Promise<{send?: Bytes, welcome?: Bytes}>}
   */
  async received(string, request) {
    if (!this.keys) return { send: await this.auth(string, request) };
    const welcome = body(string, WELCOME, PROOF + TAG, MOST);
    return { welcome: await proved(this.keys, this.transcript, welcome) };
  }

  /**
   * @param {Uint8Array} string
   * @param {Bytes} request
   */
  async auth(string, request) {
    const message = body(string, REPLY, 33, 33);
    if (message[0] !== 0x42 || same(message.subarray(1), this.pake.message)) throw new WireError('our own message');
    const shared = await this.pake.finish(message.subarray(1));
    this.transcript = concat(this.first, string);
    this.keys = await SessionKeys.derive(shared, this.transcript, 'voicechat/1 keys');
    return concat(head(AUTH), await this.keys.proof('client', this.transcript), this.keys.out.seal(request));
  }
}

/** @typedef {{id: Bytes, secret: Bytes}} Ticket */

/** Coming back with a ticket. */
export class TicketLogin {
  /**
   * @param {Ticket} ticket
   * @param {Bytes} first
   */
  constructor(ticket, first) {
    this.ticket = ticket;
    this.first = first;
    /** @type {SessionKeys | null} */
    this.keys = null;
  }

  /**
   * @param {Ticket} ticket
   * @param {Random} random
   */
  static async begin(ticket, random) {
    const unproved = concat(head(RESUME), ticket.id, random(NONCE));
    const proof = await hmac(ticket.secret, concat(utf8('voicechat/1 resume'), unproved));
    return new TicketLogin(ticket, concat(unproved, proof));
  }

  /**
   * As PasswordLogin has it. There is nothing to ask for: the seat is known.
   * @param {Uint8Array} string
   * @returns {Promise<{send?: Bytes, welcome?: Bytes}>}
   */
  async received(string) {
    const resumed = body(string, RESUMED, NONCE + PROOF + TAG, MOST);
    const transcript = concat(this.first, resumed.subarray(0, NONCE));
    this.keys = await SessionKeys.derive(this.ticket.secret, transcript, 'voicechat/1 resumed');
    return { welcome: await proved(this.keys, transcript, resumed.subarray(NONCE)) };
  }
}

/**
 * The packet behind the server's proof. WrongServer if the proof is wrong.
 * @param {SessionKeys} keys
 * @param {Bytes} transcript
 * @param {Uint8Array} proofAndSealed
 */
async function proved(keys, transcript, proofAndSealed) {
  if (!same(proofAndSealed.subarray(0, PROOF), await keys.proof('server', transcript))) {
    throw new WrongServer('the server does not know the password');
  }
  return keys.in.open(proofAndSealed.subarray(PROOF));
}
