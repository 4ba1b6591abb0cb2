/**
 * One connection: a WebSocket that carries the protocol's strings, logged in, kept alive.
 *
 * Each binary message is one string (docs/wire-protocol.md, 1). Logging in takes promises, so strings
 * are read one after another; from the welcome on each is opened at once.
 * Works in the Worker. May import `bytes`, `login`, `messages`, `packets` and `roundtrips`.
 */
import { WireError } from './bytes.js';
import { PasswordLogin, TicketLogin } from './login.js';
import { readMessage } from './messages.js';
import { decodeMedia, encodeControl, isMedia } from './packets.js';
import { RoundTrips } from './roundtrips.js';
/** @import { Bytes } from './bytes.js' */
/** @import { Ticket } from './login.js' */
/** @import { Message, Welcome } from './messages.js' */
/** @import { Kind, Media } from './packets.js' */

/** Milliseconds for the whole login, as the server has it. */
const LOGIN_MS = 5000;
/** Between pings: the delay that is shown is so old at most. */
const PING_MS = 2000;
/** The server may owe an answer for so long, and is said to be silent after so long. */
const ANSWER_MS = 10000;
export const SILENT_MS = 2000;
/** Bytes that may wait in the browser, beyond which sound is dropped: 50 packets, a second. */
const MOST_WAITING = 4000;
/** Strings a second, and at once, of an honest server; more end the connection. */
const STRINGS_A_SECOND = 1200;
const STRINGS_AT_ONCE = 6000;
/** Between the first pings, by which the connection is learnt. */
const QUICK_PING_MS = 100;

/**
 * @typedef {object} Listener who is told what happens
 * @property {(welcome: Welcome) => void} entered
 * @property {(message: Message) => void} message
 * @property {(packet: Media, now: number) => void} media
 * @property {(why: Error | null) => void} closed null: the connection broke; told once
 */

/** From the first byte to the last. */
export class Connection {
  /**
   * @param {string} url
   * @param {{password: string, ticket: Ticket | null}} proof
   * @param {object} request
   * @param {Listener} listener
   */
  constructor(url, proof, request, listener) {
    this.listener = listener;
    this.request = encodeControl('request', request);
    /** @type {PasswordLogin | TicketLogin | null} */
    this.login = null;
    this.entered = this.over = this.opened = false;
    this.began = this.heardAt = performance.now();
    this.pings = 0;
    /** @type {{id: number, at: number} | null} the ping that is not answered */
    this.ping = null;
    this.pingAt = Infinity;
    this.trips = new RoundTrips();
    this.allowed = STRINGS_AT_ONCE;
    this.counts = { bytesIn: 0, bytesOut: 0, dropped: 0 };
    this.socket = new WebSocket(url);
    this.socket.binaryType = 'arraybuffer';
    this.turn = this.begin(proof);
    this.socket.onopen = () => (this.opened = true);
    this.socket.onmessage = ({ data }) => this.came(data, performance.now());
    this.socket.onclose = () => this.after(() => this.close(null));
    this.timer = setInterval(() => this.tick(performance.now()), 50);
  }

  /** @param {{password: string, ticket: Ticket | null}} proof */
  async begin({ password, ticket }) {
    const random = (/** @type {number} */ length) => crypto.getRandomValues(new Uint8Array(length));
    this.login = ticket ? await TicketLogin.begin(ticket, random) : await PasswordLogin.begin(password, random);
    if (this.socket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve) => this.socket.addEventListener('open', resolve));
    }
    this.sendString(this.login.first);
  }

  /**
   * What happens when all that came before has been seen to.
   * @param {() => void | Promise<void>} step
   */
  after(step) {
    this.turn = this.turn.then(step).catch((error) => this.close(error));
  }

  /**
   * @param {unknown} data
   * @param {number} now
   */
  came(data, now) {
    if (this.over) return;
    if (!(data instanceof ArrayBuffer)) {
      this.close(new WireError('a message of text'));
      return;
    }
    this.allowed = Math.min(STRINGS_AT_ONCE, this.allowed + ((now - this.heardAt) / 1000) * STRINGS_A_SECOND) - 1;
    this.heardAt = now;
    this.counts.bytesIn += data.byteLength;
    const string = new Uint8Array(data);
    if (this.allowed < 0) this.close(new WireError('a flood'));
    else if (this.entered) this.packet(string, now);
    else this.after(() => this.handshake(string));
  }

  /** @param {Uint8Array} string */
  async handshake(string) {
    if (this.over || !this.login) return;
    if (this.entered) {
      this.packet(string, this.heardAt);
      return;
    }
    const { send, welcome } = await this.login.received(string, this.request);
    if (send) this.sendString(send);
    if (!welcome || this.over) return;
    const message = readMessage(welcome);
    if (message.kind === 'welcome') {
      this.entered = true;
      this.pingAt = performance.now();
      this.listener.entered(message);
    } else if (message.kind === 'bye') {
      this.listener.message(message);
    } else {
      throw new WireError('no welcome');
    }
  }

  /**
   * @param {Uint8Array} string
   * @param {number} now
   */
  packet(string, now) {
    try {
      const packet = this.login?.keys?.in.open(string);
      if (!packet) return;
      if (isMedia(packet)) this.listener.media(decodeMedia(packet), now);
      else this.control(readMessage(packet), now);
    } catch (error) {
      this.close(/** @type {Error} */ (error));
    }
  }

  /**
   * @param {Message} message
   * @param {number} now
   */
  control(message, now) {
    if (message.kind === 'ping') this.send('pong', { id: message.id });
    else if (message.kind === 'pong') this.answered(message.id, now);
    else this.listener.message(message);
  }

  /**
   * @param {number} id
   * @param {number} now
   */
  answered(id, now) {
    if (this.ping?.id !== id) return;
    this.trips.add(now - this.ping.at);
    this.ping = null;
    if (this.trips.learning) this.pingAt = Math.min(this.pingAt, now + QUICK_PING_MS);
  }

  /** Milliseconds for which the server has owed an answer; 0 while it owes none that is due. */
  get silence() {
    const quiet = this.ping ? performance.now() - Math.max(this.ping.at, this.heardAt) : 0;
    return quiet >= SILENT_MS ? quiet : 0;
  }

  /** @param {number} now */
  tick(now) {
    if (!this.entered && now - this.began > LOGIN_MS) this.close(null);
    if (this.ping && now - this.ping.at > ANSWER_MS) this.close(null);
    if (now < this.pingAt || this.ping) return;
    this.ping = { id: ++this.pings, at: now };
    this.pingAt = now + PING_MS;
    this.send('ping', { id: this.pings });
  }

  /**
   * @param {Kind} kind
   * @param {object} fields
   */
  send(kind, fields) {
    this.sendPacket(encodeControl(kind, fields));
  }

  /**
   * Sound, unless so much waits that it would come too late.
   * @param {Bytes} packet
   */
  sendMedia(packet) {
    if (this.socket.bufferedAmount > MOST_WAITING) this.counts.dropped++;
    else this.sendPacket(packet);
  }

  /** @param {Bytes} packet */
  sendPacket(packet) {
    if (!this.over && this.entered && this.login?.keys) this.sendString(this.login.keys.out.seal(packet));
  }

  /** @param {Bytes} string */
  sendString(string) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.counts.bytesOut += string.length;
    this.socket.send(string);
  }

  /**
   * It is over, whoever ended it.
   * @param {Error | null} why
   */
  close(why) {
    if (this.over) return;
    this.over = true;
    clearInterval(this.timer);
    this.socket.close();
    this.listener.closed(why);
  }
}
