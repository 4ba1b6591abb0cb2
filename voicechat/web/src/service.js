/**
 * Getting in and coming back: one connection after another, and what is said of it.
 *
 * The first login is tried three times within five seconds. Later tries go on for ever: quickly for a
 * minute, since a server that was started again is back within seconds, then ever more slowly, with chance
 * in all of it. A ticket brings the seat back for a minute; after that the password does. The words are
 * those of docs/client.md.
 * Works in the Worker. May import `connection`, `login` and `call`'s types.
 */
import { WireError } from './bytes.js';
import { Connection } from './connection.js';
import { Reason, Refused, WrongServer } from './login.js';
/** @import { Call } from './call.js' */
/** @import { Ticket } from './login.js' */
/** @import { Message, Welcome } from './messages.js' */

const FIRST_TRIES = 3;
const FIRST_MS = 5000;
/** Milliseconds between tries while the connection has been gone for QUICK_FOR or less, and at most. */
const QUICK = [100, 1500];
const QUICK_FOR = 60000;
const SLOWEST = 30000;
/** Milliseconds of a server's silence after which it is told again. */
const TOLD_EVERY = 30000;
const TICKET_MS = 60000;

/** @typedef {{url: string, where: string, password: string, name: string, room: string, rtc: boolean}} Target */
/** @typedef {'connecting' | 'in' | 'waiting' | 'ended'} State */

/** One player's way in, until they leave. */
export class Service {
  /**
   * @param {Target} target
   * @param {Call} call
   */
  constructor(target, call) {
    this.target = target;
    this.call = call;
    /** @type {State} */
    this.state = 'connecting';
    /** Why it is not in, for a person. */
    this.why = '';
    this.wasIn = false;
    this.tries = 0;
    this.slowest = QUICK[1];
    this.brokeAt = performance.now();
    /** When the next try is, by performance.now. */
    this.nextAt = 0;
    this.timer = 0;
    /** @type {{ticket: Ticket, until: number} | null} */
    this.ticket = null;
    /** @type {Message | null} the server's goodbye */
    this.bye = null;
    this.silentSince = -TOLD_EVERY;
    this.silent = false;
    this.udpPort = 0;
    /** @type {Connection | null} */
    this.connection = null;
    this.watch = setInterval(() => this.look(), 500);
    this.open();
  }

  open() {
    const { url, password, name, room, rtc } = this.target;
    const ticket = this.ticket && performance.now() < this.ticket.until ? this.ticket.ticket : null;
    const request = { name, ...(room ? { room } : {}), capabilities: rtc ? ['letters', 'rtc'] : ['letters'] };
    this.bye = null;
    this.change(this.wasIn ? 'waiting' : 'connecting');
    const connection = new Connection(url, { password, ticket }, request, {
      entered: (welcome) => this.entered(connection, welcome),
      message: (message) => this.received(message),
      media: (packet, now) => this.call.media(packet, now),
      closed: (why) => this.closed(connection, why),
    });
    this.connection = connection;
  }

  /**
   * @param {Connection} connection
   * @param {Welcome} welcome
   */
  entered(connection, welcome) {
    this.wasIn = true;
    this.tries = 0;
    this.slowest = QUICK[1];
    this.ticket = welcome.ticket && { ticket: welcome.ticket, until: Infinity };
    this.why = '';
    this.state = 'in';
    this.call.entered(connection, welcome);
    this.udpPort = Number(welcome.fields.udp_port ?? 0);
    if (welcome.rtc && this.udpPort) this.call.page.offer();
  }

  /** @param {Message} message */
  received(message) {
    if (message.kind === 'bye') this.bye = message;
    else if (message.kind === 'accept') this.call.page.accept(message, this.udpPort);
    else this.call.received(message);
  }

  /**
   * @param {Connection} connection
   * @param {Error | null} why
   */
  closed(connection, why) {
    if (connection !== this.connection || this.state === 'ended') return;
    this.connection = null;
    const now = performance.now();
    if (this.call.connection === connection) {
      this.call.left();
      this.brokeAt = now;
      this.call.page.cue('lost');
      if (this.ticket) this.ticket.until = now + TICKET_MS;
    }
    const final = this.bye?.kind === 'bye' ? this.goodbye(this.bye) : this.judged(why, connection);
    if (final) this.end(final);
    else this.again(now);
  }

  /**
   * The server's last word. What trying again would not help is given back; else `why` is set.
   * @param {{reason: string, retry: number}} bye
   * @returns {string | null}
   */
  goodbye({ reason }) {
    const { where } = this.target;
    const full = reason === 'full' ? where : `this room on ${where}`;
    if (reason === 'full' || reason === 'the room is full') {
      if (!this.wasIn && reason === 'full') return `${where} is full; try again when somebody has left`;
      if (!this.wasIn) return `this room on ${where} is full; try again later, or another room`;
      this.ticket = null;
      this.why = `${full} is full`;
    } else if (reason === 'the password was changed') {
      return `the password of ${where} was changed; ask your host for the new one`;
    } else if (reason === 'replaced') {
      return 'another client took over your seat; this one stops';
    } else if (reason === 'shutting down') {
      this.why = 'the server is shutting down';
    } else if (!this.wasIn && reason !== 'try later') {
      return reason || `${where} closed the connection`;
    } else {
      this.why = reason || 'the server said goodbye';
    }
    return null;
  }

  /**
   * Why a connection ended without a goodbye.
   * @param {Error | null} error
   * @param {Connection} connection
   * @returns {string | null}
   */
  judged(error, connection) {
    const { where } = this.target;
    if (error instanceof Refused) return this.refused(error);
    if (error instanceof WrongServer) {
      return `${where} does not know the password; ask your host for the right one`;
    }
    if (error && !this.wasIn) {
      const what = error instanceof WireError ? error.message : 'it cannot be understood';
      return `what answers on ${where} does not speak voicechat (${what})`;
    }
    if (error) this.ticket = null;
    this.why = error ? error.message : connection.opened ? 'the connection was closed' : 'nobody listens there';
    return null;
  }

  /**
   * @param {Refused} refused
   * @returns {string | null}
   */
  refused({ reason, retry, newest }) {
    const { where } = this.target;
    switch (reason) {
      case Reason.TICKET:
        this.ticket = null;
        return null;
      case Reason.PASSWORD:
        return `the password was refused by ${where}; ask your host for the right one`;
      case Reason.TRY_LATER:
        this.why = `${where} does not let us in now`;
        if (!this.wasIn) return `${where} does not let us in now (too many tries); try again in ${retry || 60} s`;
        return null;
      case Reason.VERSION:
        return `${where} speaks another version of voicechat (${newest}); fetch this page anew`;
      case Reason.SHUTTING_DOWN:
        this.why = 'the server is shutting down';
        return null;
      default:
        return `what answers on ${where} does not speak voicechat (it took our words for none)`;
    }
  }

  /** @param {number} now */
  again(now) {
    this.tries++;
    const gone = now - this.brokeAt;
    if (!this.wasIn && (this.tries >= FIRST_TRIES || gone >= FIRST_MS)) {
      this.end(`cannot reach ${this.target.where}: ${this.why}; is the server on, and the address right?`);
      return;
    }
    if (this.wasIn && this.tries === 1) {
      this.call.page.say(`the line to ${this.target.where} broke (${this.why}); trying again`, 'trouble');
    }
    this.nextAt = now + this.pause(gone);
    this.timer = setTimeout(() => this.open(), this.nextAt - now);
    this.change(this.wasIn ? 'waiting' : 'connecting');
  }

  /** @param {number} gone milliseconds since the connection was lost */
  pause(gone) {
    if (!this.wasIn) return 500 + Math.random() * 500;
    if (this.bye?.kind === 'bye' && this.bye.retry) return this.bye.retry * 1000 * (1 + Math.random() / 4);
    if (gone > QUICK_FOR) this.slowest = Math.min(SLOWEST, 2 * this.slowest);
    return QUICK[0] + Math.random() * (this.slowest - QUICK[0]);
  }

  /** Now, and not when it was to be. */
  retry() {
    if (this.state !== 'waiting' || this.connection) return;
    clearTimeout(this.timer);
    this.open();
  }

  /** Whether the server still answers. */
  look() {
    const silence = this.state === 'in' ? (this.connection?.silence ?? 0) : 0;
    const { where } = this.target;
    const now = performance.now();
    if (silence && now - this.silentSince > TOLD_EVERY) {
      this.silent = true;
      this.silentSince = now;
      const seconds = Math.round(silence / 1000);
      this.call.page.say(`${where} has not answered for ${seconds} s: perhaps nobody hears you`, 'trouble');
    } else if (!silence && this.silent) {
      this.silent = false;
      if (this.state === 'in') this.call.page.say(`${where} answers again`, 'event');
    }
  }

  /** The player leaves. */
  leave() {
    this.connection?.send('bye', { reason: 'leaving' });
    this.end('');
  }

  /** @param {string} why */
  end(why) {
    this.why = why;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.change('ended');
    this.connection?.close(null);
    this.call.left();
  }

  /** @param {State} state */
  change(state) {
    this.state = state;
    this.call.page.changed();
  }
}
