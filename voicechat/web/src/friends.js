/**
 * Who is in the room, as the server tells it, in the words of docs/client.md.
 *
 * Pure: messages in, lines for a person out. May import `bytes` and `texts`.
 */
import { WireError } from './bytes.js';
import { named } from './texts.js';
/** @import { Message, Person, Welcome } from './messages.js' */

/** People kept: as many as a server may seat. */
const MOST_NAMES = 200;

/** @typedef {Person & {talking: boolean, wayMs: number | null, heldMs: number}} Friend */

/** The roster, by number. */
export class Friends {
  constructor() {
    /** @type {Map<number, Friend>} */
    this.here = new Map();
    /** @type {Map<number, string>} names, also of those who left */
    this.names = new Map();
    this.me = 0;
  }

  /** Somebody is here to hear us: not away, not deafened. */
  get listening() {
    return [...this.here.values()].some((friend) => !friend.away && !friend.deafened);
  }

  /** @param {number} source */
  name(source) {
    return named(this.names.get(source) ?? `#${source}`);
  }

  /**
   * We are in.
   * @param {Welcome} welcome
   */
  welcome(welcome) {
    this.me = welcome.source;
    this.here.clear();
    for (const person of welcome.roster) this.add(person);
    const others = welcome.roster.map(described).join(', ');
    return `you are in as ${welcome.name}` + (others ? `, with ${others}` : '; nobody else is here yet');
  }

  /** The connection is gone: nobody is known to talk, or how late. */
  lost() {
    for (const friend of this.here.values()) Object.assign(friend, { talking: false, wayMs: null });
  }

  /** @param {Person} person */
  add(person) {
    if (person.source === this.me) throw new WireError('the server took us for somebody else');
    if (!this.here.has(person.source) && this.here.size >= MOST_NAMES) throw new WireError('more people than can be');
    this.here.set(person.source, { ...person, talking: false, wayMs: null, heldMs: 0 });
    this.names.delete(person.source);
    this.names.set(person.source, person.name);
    for (const source of this.names.keys()) {
      if (this.names.size <= MOST_NAMES) break;
      if (!this.here.has(source)) this.names.delete(source);
    }
  }

  /**
   * What a message tells; a line for the player, or null if it is not worth one.
   * @param {Message} message
   * @returns {string | null}
   */
  learn(message) {
    if (message.kind === 'joined') {
      this.add(message.person);
      return `${described(message.person)} joined`;
    }
    const friend = 'source' in message ? this.here.get(message.source) : undefined;
    return friend ? this.learnOf(friend, message) : null;
  }

  /**
   * @param {Friend} friend
   * @param {Message} message
   */
  learnOf(friend, message) {
    const name = named(friend.name);
    switch (message.kind) {
      case 'left':
        this.here.delete(friend.source);
        return `${name} left${message.reason ? ` (${message.reason})` : ''}`;
      case 'away':
        Object.assign(friend, { away: true, talking: false });
        return `${name} is away (line broken)`;
      case 'back':
        friend.away = false;
        return `${name} is back`;
      case 'talk':
        friend.talking = message.talking;
        if (message.wayMs !== null) Object.assign(friend, { wayMs: message.wayMs, heldMs: message.heldMs ?? 0 });
        return null;
      case 'state':
        return this.state(friend, message.muted, message.deafened);
      default:
        return null;
    }
  }

  /**
   * @param {Friend} friend
   * @param {boolean} muted
   * @param {boolean} deafened
   */
  state(friend, muted, deafened) {
    const before = friend.deafened;
    Object.assign(friend, { muted, deafened });
    const name = named(friend.name);
    if (muted || deafened) return `${name} is ${deafened ? 'deafened' : 'muted'}`;
    return `${name} ${before ? 'listens again' : 'is unmuted'}`;
  }
}

/**
 * A name, and what is not as usual with them.
 * @param {Person} person
 */
function described({ name, away, quality }) {
  const unusual = [...(away ? ['away'] : []), ...(quality === 'normal' ? [] : [`${quality} quality`])];
  return named(name) + (unusual.length ? ` (${unusual.join(', ')})` : '');
}
