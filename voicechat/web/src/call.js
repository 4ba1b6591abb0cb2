/**
 * The call: one player's media and people, over one connection after another.
 *
 * Joins its parts: who is there, what is said and heard, what the player wishes. Nothing here connects
 * (`service`) or draws: `view` is all that a page needs to know, as plain values.
 * Works in the Worker. May import what it joins.
 */
import { WireError } from './bytes.js';
import { Friends } from './friends.js';
import { Hearing } from './hearing.js';
import { Datagrams } from './datagrams.js';
import { MIX, encodeMedia } from './packets.js';
import { Playback } from './playback.js';
import { TICK_MS } from './sound.js';
import { WISHES, gateMode, isDeafened, isMuted } from './transmit.js';
import { Uplink } from './uplink.js';
/** @import { Connection } from './connection.js' */
/** @import { Friend } from './friends.js' */
/** @import { Message, Welcome } from './messages.js' */
/** @import { Media } from './packets.js' */
/** @import { MuteState, TalkMode, Wish } from './transmit.js' */
/** @import { Outgoing } from './uplink.js' */

/** Of an Opus encoder for voice: 312 samples. */
const LOOK_AHEAD_MS = 6.5;
/** A block of the sound device. */
const BLOCK_MS = 10;
/** Lines a second that are shown, of which more would be a flood. */
const MOST_LINES = 20;
/** Milliseconds between two hints that a muted player talks. */
const HINT_EVERY = 15000;
/** Below this many dB a friend is not softer but muted: nothing of theirs is sent to us. */
export const SOFTEST_DB = -30;

/** @typedef {{say: (line: string, kind: 'event' | 'chat' | 'trouble', from?: string) => void, cue: (name: string) => void, changed: () => void, offer: () => void, accept: (accept: object, port: number) => void}} Page */

/** One player's call. */
export class Call {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.friends = new Friends();
    this.hearing = new Hearing();
    this.hearing.lateness = () => this.connection?.trips.lateness ?? [];
    this.playback = new Playback(this.hearing);
    this.datagrams = new Datagrams(
      (packet, now) => packet.source !== this.friends.me && this.media(packet, now),
      () => this.wayChanged(),
    );
    this.uplink = new Uplink(
      (frame) => this.sendFrame(frame),
      () => (this.datagrams.was ? this.datagrams.waiting.length + this.uplink.coding.length : -1),
    );
    this.toc = 0x48;
    /** @type {Connection | null} the present one: we are in the room */
    this.connection = null;
    this.name = this.room = '';
    /** @type {MuteState} */
    this.muteState = 'active';
    /** @type {TalkMode} */
    this.mode = 'voice';
    this.held = false;
    /** @type {Map<string, number>} dB by name */
    this.volumes = new Map();
    this.mixed = false;
    this.hintAt = -HINT_EVERY;
    this.second = this.lines = 0;
  }

  /**
   * In the room.
   * @param {Connection} connection
   * @param {Welcome} welcome
   */
  entered(connection, welcome) {
    this.connection = connection;
    this.name = welcome.name;
    this.room = welcome.room;
    const here = new Map(welcome.roster.map((person) => [person.source, person.name]));
    for (const source of [...this.hearing.voices.keys()]) {
      if (source === MIX || here.get(source) !== this.friends.names.get(source)) this.hearing.forget(source);
    }
    this.say(this.friends.welcome(welcome));
    this.uplink.entered(welcome.bitrate);
    for (const friend of this.friends.here.values()) this.setGain(friend);
    this.tellState();
    this.page.cue('in');
    this.page.changed();
  }

  /**
   * A frame of ours, on whichever way works.
   * @param {Outgoing} frame
   */
  sendFrame({ tick, payload, marker, end }) {
    if (!this.connection) return;
    if (payload.length) this.toc = payload[0];
    if (this.datagrams.up(performance.now())) this.datagrams.send(end ? Uint8Array.of(this.toc & 0xfc) : payload);
    else this.connection.sendMedia(encodeMedia(tick, payload, { marker, end }));
  }

  wayChanged() {
    if (this.connection) this.say(`your sound goes over ${this.datagrams.was ? 'UDP' : 'TCP'} now`);
    this.page.changed();
  }

  /** Each second: tell the server what of its datagrams came. */
  report() {
    this.datagrams.up(performance.now());
    const loss = this.datagrams.loss();
    if (loss) this.connection?.send('report', loss);
  }

  /** The connection is over. */
  left() {
    this.connection = null;
    this.datagrams.reset();
    this.friends.lost();
    this.uplink.wanted = false;
    this.page.changed();
  }

  /** @param {Message} message */
  received(message) {
    if (message.kind === 'text') {
      this.say(message.text, 'chat', this.friends.names.get(message.source) ?? `#${message.source}`);
      this.page.cue('text');
      return;
    }
    if (message.kind === 'report') this.datagrams.reported(message);
    const line = this.friends.learn(message);
    if (message.kind === 'left') this.hearing.forget(message.source);
    if (message.kind === 'joined') this.setGain(/** @type {Friend} */ (this.friends.here.get(message.person.source)));
    if (message.kind === 'joined' || message.kind === 'left') this.page.cue(message.kind);
    if (line) this.say(line);
    this.uplink.wanted = this.friends.listening;
    this.page.changed();
  }

  /**
   * A line about the room; of a flood only the first ones of a second.
   * @param {string} line
   * @param {'event' | 'chat' | 'trouble'} kind
   * @param {string} [from]
   */
  say(line, kind = 'event', from) {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.second) [this.second, this.lines] = [second, 0];
    if (++this.lines <= MOST_LINES) this.page.say(line, kind, from);
  }

  /**
   * @param {Media} packet
   * @param {number} now
   */
  media(packet, now) {
    if (!this.connection) return;
    if (packet.source === this.friends.me) throw new WireError('the server returned our own voice');
    if (isDeafened(this.muteState)) return;
    this.mixed = packet.source === MIX;
    const friend = this.friends.here.get(packet.source);
    if (friend && friend.talking === packet.end) {
      // Who came in the middle of a sentence was not told that it had begun.
      friend.talking = !packet.end;
      this.page.changed();
    }
    this.playback.arrived(packet, now);
  }

  /**
   * A frame of the microphone.
   * @param {Float32Array} pcm
   */
  captured(pcm) {
    const { uplink } = this;
    const before = uplink.talking;
    uplink.wanted = this.connection !== null && this.friends.listening;
    uplink.gate.mode = gateMode(this.muteState, this.mode, this.held);
    uplink.push(pcm);
    if (uplink.talking !== before) this.page.changed();
    const now = performance.now();
    if (uplink.gate.mode === 'muted' && uplink.gate.talk && now - this.hintAt > HINT_EVERY && this.connection) {
      this.hintAt = now;
      this.page.say('you talk, but you are muted', 'trouble');
    }
  }

  /** @param {Wish} wish */
  wish(wish) {
    const next = WISHES[this.muteState][wish];
    if (!next) return;
    this.muteState = next;
    if (isDeafened(next)) this.playback.stop();
    this.tellState();
    this.page.cue(isMuted(next) ? 'mute' : 'unmute');
    this.page.changed();
  }

  tellState() {
    this.connection?.send('state', { muted: isMuted(this.muteState), deafened: isDeafened(this.muteState), source: 0 });
  }

  /**
   * @param {string} name
   * @param {number} db
   */
  setVolume(name, db) {
    this.volumes.delete(name);
    this.volumes.set(name, db);
    for (const friend of this.friends.here.values()) if (friend.name === name) this.setGain(friend);
    this.page.changed();
  }

  /** @param {Friend} friend */
  setGain(friend) {
    const db = this.volumes.get(friend.name) ?? 0;
    const gain = db < SOFTEST_DB ? 0 : 10 ** (db / 20);
    if ((this.hearing.gains.get(friend.source) ?? 1) === gain) return;
    this.hearing.gains.set(friend.source, gain);
    this.connection?.send('gain', { source: friend.source, gain: Math.min(8, gain) });
  }

  /** @param {string} text */
  write(text) {
    this.connection?.send('text', { text, source: 0 });
    this.page.say(text, 'chat', this.name);
  }

  /**
   * Milliseconds from a friend's mouth to our ear, as far as both ends know; null while not known.
   * @param {Friend} friend
   */
  delayOf(friend) {
    const roundTrip = this.connection?.trips.usual;
    if (friend.wayMs === null || roundTrip == null) return null;
    const frame = friend.quality === 'saver' ? 2 * TICK_MS : TICK_MS;
    const mixed = this.mixed ? friend.heldMs + TICK_MS / 2 + LOOK_AHEAD_MS : 0;
    const here = this.hearing.held * TICK_MS + BLOCK_MS;
    return Math.round(frame + LOOK_AHEAD_MS + friend.wayMs + roundTrip / 2 + here + mixed);
  }

  /** What a page shows. */
  get view() {
    const people = [...this.friends.here.values()].sort((a, b) => a.source - b.source);
    const { counts } = this.hearing;
    return {
      name: this.name,
      room: this.room,
      muted: isMuted(this.muteState),
      deafened: isDeafened(this.muteState),
      talking: this.uplink.talking,
      heard: this.hearing.heard,
      path: this.datagrams.was ? 'udp' : 'tcp',
      roundTrip: this.connection?.trips.usual ?? null,
      counts: { ...counts, underruns: this.playback.underruns, sent: this.uplink.sent },
      bytes: this.connection?.counts ?? null,
      people: people.map((friend) => ({
        ...friend,
        delayMs: this.delayOf(friend),
        volume: this.volumes.get(friend.name) ?? 0,
      })),
    };
  }
}
