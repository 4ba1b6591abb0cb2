/**
 * ChaCha20-Poly1305 (RFC 8439), which WebCrypto does not have: one string sealed, one opened.
 *
 * Held to the vectors of RFC 8439 by tests/web/chacha.test.js. Strings are short (60 bytes of
 * voice, 4096 at most), so Poly1305 is plain BigInt: 15 us a voice packet.
 * May import `bytes`.
 */
import { WireError, concat, littleEndian, same } from './bytes.js';
/** @import { Bytes } from './bytes.js' */

export const TAG_BYTES = 16;

/** "expand 32-byte k" as four words (RFC 8439, 2.3). */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

/** The rows of a round: four columns, then four diagonals (RFC 8439, 2.3). */
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

const PRIME = 2n ** 130n - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
const BLOCK = 64;

/**
 * @param {number} word
 * @param {number} bits
 */
function turned(word, bits) {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * One block of the key stream.
 * @param {Uint8Array} key 32 bytes
 * @param {number} counter
 * @param {Uint8Array} nonce 12 bytes
 * @returns {Bytes} 64 bytes
 */
export function block(key, counter, nonce) {
  const head = new Uint32Array(16);
  const keys = new DataView(key.buffer, key.byteOffset);
  const nonces = new DataView(nonce.buffer, nonce.byteOffset);
  head.set(CONSTANTS);
  for (let at = 0; at < 8; at++) head[4 + at] = keys.getUint32(4 * at, true);
  head[12] = counter;
  for (let at = 0; at < 3; at++) head[13 + at] = nonces.getUint32(4 * at, true);
  const s = head.slice();
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      s[a] += s[b];
      s[d] = turned(s[d] ^ s[a], 16);
      s[c] += s[d];
      s[b] = turned(s[b] ^ s[c], 12);
      s[a] += s[b];
      s[d] = turned(s[d] ^ s[a], 8);
      s[c] += s[d];
      s[b] = turned(s[b] ^ s[c], 7);
    }
  }
  const stream = new Uint8Array(BLOCK);
  const out = new DataView(stream.buffer);
  for (let at = 0; at < 16; at++) out.setUint32(4 * at, s[at] + head[at], true);
  return stream;
}

/**
 * The text under the key stream, from block 1 on; twice gives it back.
 * @param {Uint8Array} key
 * @param {Uint8Array} nonce
 * @param {Uint8Array} text
 */
function crypted(key, nonce, text) {
  const out = new Uint8Array(text);
  for (let at = 0; at < out.length; at += BLOCK) {
    const stream = block(key, 1 + at / BLOCK, nonce);
    const end = Math.min(BLOCK, out.length - at);
    for (let index = 0; index < end; index++) out[at + index] ^= stream[index];
  }
  return out;
}

/**
 * Poly1305 (RFC 8439, 2.5).
 * @param {Uint8Array} key 32 bytes, for one message only
 * @param {Uint8Array} message
 * @returns {Bytes} 16 bytes
 */
export function poly1305(key, message) {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const piece = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(piece) + (1n << BigInt(8 * piece.length))) * r) % PRIME;
  }
  sum += littleEndian(key.subarray(16, 32));
  const tag = new Uint8Array(TAG_BYTES);
  for (let at = 0; at < TAG_BYTES; at++) tag[at] = Number((sum >> BigInt(8 * at)) & 0xffn);
  return tag;
}

/**
 * The tag of an encrypted text (RFC 8439, 2.8).
 * @param {Uint8Array} key
 * @param {Uint8Array} nonce
 * @param {Uint8Array} encrypted
 * @param {Uint8Array} associated
 */
function tagOf(key, nonce, encrypted, associated) {
  const lengths = new DataView(new ArrayBuffer(16));
  lengths.setUint32(0, associated.length, true);
  lengths.setUint32(8, encrypted.length, true);
  const padded = [associated, encrypted].flatMap((part) => [part, new Uint8Array(-part.length & 15)]);
  return poly1305(block(key, 0, nonce).subarray(0, 32), concat(...padded, new Uint8Array(lengths.buffer)));
}

const NOTHING = new Uint8Array();

/**
 * Encrypted, with the tag behind it.
 * @param {Uint8Array} key 32 bytes
 * @param {Uint8Array} nonce 12 bytes, never the same twice with one key
 * @param {Uint8Array} text
 * @param {Uint8Array} [associated]
 */
export function seal(key, nonce, text, associated = NOTHING) {
  const encrypted = crypted(key, nonce, text);
  return concat(encrypted, tagOf(key, nonce, encrypted, associated));
}

/**
 * What was sealed. WireError if it was not sealed so.
 * @param {Uint8Array} key
 * @param {Uint8Array} nonce
 * @param {Uint8Array} sealed
 * @param {Uint8Array} [associated]
 */
export function open(key, nonce, sealed, associated = NOTHING) {
  const end = sealed.length - TAG_BYTES;
  const encrypted = sealed.subarray(0, Math.max(0, end));
  if (end < 0 || !same(sealed.subarray(end), tagOf(key, nonce, encrypted, associated))) {
    throw new WireError('a string that does not open');
  }
  return crypted(key, nonce, encrypted);
}
