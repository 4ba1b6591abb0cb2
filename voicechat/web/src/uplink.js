/**
 * The player's voice on its way out: frames of the microphone, through the gate, coded, made packets.
 *
 * Frames count ticks, also in silence. The three before the gate opened are sent with the first one. An
 * encoder of WebCodecs answers later and in order, so an end waits its turn behind the frames before it.
 * Works in the Worker. May import `gate`, `packets` and `sound`.
 */
import { Gate, PRE_ROLL } from './gate.js';
import { encodeMedia } from './packets.js';
import { FRAME, RATE, meanSquare } from './sound.js';
/** @import { Bytes } from './bytes.js' */

/** Frames that may wait for the encoder; more would come too late. */
const MOST_CODING = 25;
const NOTHING_MORE = new Uint8Array();

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
  /** @param {(packet: Bytes) => void} send */
  constructor(send) {
    this.send = send;
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
    const first = this.talking ? [] : this.before.splice(0);
    first.forEach((frame, index) => this.code(frame, (this.tick - first.length + index) & 0xffff));
    this.code(pcm, this.tick);
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
    this.send(encodeMedia(frame.tick, payload, { marker: frame.marker }));
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
    this.send(encodeMedia(this.ending, NOTHING_MORE, { end: true }));
    this.ending = null;
  }
}
