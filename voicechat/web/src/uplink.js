/**
 * The player's voice on its way out: frames of the microphone, through the gate, coded, made packets.
 *
 * Frames count ticks, also in silence. The three before the gate opened are sent with the first one. An
 * encoder of WebCodecs answers later and in order, so an end waits its turn behind the frames before it.
 * Works in the Worker. May import `gate` and `sound`.
 */
import { Gate, PRE_ROLL } from './gate.js';
import { FRAME, RATE, meanSquare, merge } from './sound.js';

/** @typedef {{tick: number, payload: Uint8Array<ArrayBuffer>, marker: boolean, end: boolean}} Outgoing */

/** Frames that may wait for the encoder; more would come too late. */
const MOST_CODING = 25;
const NOTHING_MORE = new Uint8Array();
/** Frames of a spurt within which it may be shortened to be on time. */
const STARTING_FRAMES = 10;

/**
 * What every browser is asked for: voice, wideband, one packet each 20 ms, none left out in silence.
 * @type {Omit<AudioEncoderConfig, 'opus'> & {opus: any}}
 */
const CODEC = {
  codec: 'opus',
  sampleRate: RATE,
  numberOfChannels: 1,
  opus: { format: 'opus', application: 'voip', signal: 'voice', complexity: 9, frameDuration: 20000, usedtx: false },
};

/** One player's voice. */
export class Uplink {
  /**
   * @param {(frame: Outgoing) => void} send
   * @param {() => number} queued frames that wait for a way that takes one each 20 ms; -1 where all go at once
   */
  constructor(send, queued) {
    this.send = send;
    this.queued = queued;
    /** @type {Float32Array | null} a frame that is to be merged with the next */
    this.merging = null;
    this.spurtAge = 0;
    this.gate = new Gate();
    this.tick = Math.floor(Math.random() * 0x10000);
    /** @type {Float32Array[]} the last frames that were not sent */
    this.before = [];
    /** @type {{tick: number, marker: boolean}[]} frames that the encoder has, in order */
    this.coding = [];
    /** @type {number | null} the tick of an end that waits for them */
    this.ending = null;
    /** Somebody listens: else nothing is coded. */
    this.wanted = false;
    /** In a talk spurt. */
    this.talking = false;
    this.level = 0;
    this.sent = 0;
    this.faults = 0;
    /** @type {AudioEncoder | null} */
    this.encoder = null;
    this.bitrate = 0;
  }

  /**
   * A connection carries it from now on.
   * @param {number} bitrate bit/s
   */
  entered(bitrate) {
    if (bitrate !== this.bitrate) {
      this.bitrate = bitrate;
      this.renew();
    }
    this.talking = false;
    this.before = [];
  }

  renew() {
    if (this.encoder && this.encoder.state !== 'closed') this.encoder.close();
    this.coding = [];
    const encoder = new AudioEncoder({
      output: (chunk) => this.coded(chunk),
      error: () => {
        if (encoder !== this.encoder) return;
        this.faults++;
        this.renew();
      },
    });
    encoder.configure({ ...CODEC, bitrate: this.bitrate });
    this.encoder = encoder;
  }

  /**
   * The next frame of the microphone.
   * @param {Float32Array} pcm
   */
  push(pcm) {
    this.tick = (this.tick + 1) & 0xffff;
    this.level = meanSquare(pcm);
    const open = this.gate.push(this.level) && this.wanted && this.encoder !== null;
    if (!open) {
      if (this.talking) this.end(this.tick);
      this.before.push(pcm);
      if (this.before.length > PRE_ROLL) this.before.shift();
      return;
    }
    if (this.talking) this.spurtAge++;
    else this.beginSpurt();
    this.codeSoon(pcm);
  }

  /** The pre-roll goes first: all of it, or as one frame where only one a tick can go. */
  beginSpurt() {
    this.spurtAge = 0;
    this.merging = null;
    const all = this.before.splice(0);
    const first = this.queued() >= 0 && all.length ? [all.reduce(merge)] : all;
    first.forEach((frame, index) => this.code(frame, (this.tick - first.length + index) & 0xffff));
  }

  /**
   * The frame of now; while what came before still waits, two are made one, so that the words are on time.
   * @param {Float32Array} pcm
   */
  codeSoon(pcm) {
    const { merging } = this;
    this.merging = null;
    if (merging) this.code(merge(merging, pcm), this.tick);
    else if (this.spurtAge > 0 && this.spurtAge < STARTING_FRAMES && this.queued() > 0) this.merging = pcm;
    else this.code(pcm, this.tick);
  }

  /**
   * @param {Float32Array} pcm
   * @param {number} tick
   */
  code(pcm, tick) {
    if (this.coding.length >= MOST_CODING || !this.encoder) return;
    this.flushEnd();
    this.coding.push({ tick, marker: !this.talking });
    this.talking = true;
    const shape = { numberOfFrames: FRAME, numberOfChannels: 1, timestamp: tick * 20000 };
    const data = new AudioData({ format: 'f32-planar', sampleRate: RATE, ...shape, data: new Float32Array(pcm) });
    this.encoder.encode(data);
    data.close();
  }

  /** @param {EncodedAudioChunk} chunk */
  coded(chunk) {
    const frame = this.coding.shift();
    if (!frame) return;
    const payload = new Uint8Array(chunk.byteLength);
    chunk.copyTo(payload);
    this.send({ ...frame, payload, end: false });
    this.sent++;
    if (!this.coding.length) this.flushEnd();
  }

  /** @param {number} tick the first one that is not sent */
  end(tick) {
    this.talking = false;
    this.ending = tick;
    if (!this.coding.length) this.flushEnd();
  }

  flushEnd() {
    if (this.ending === null) return;
    this.send({ tick: this.ending, payload: NOTHING_MORE, marker: false, end: true });
    this.ending = null;
  }
}
