/**
 * SPAKE2 over Ed25519, the client's side (docs/wire-protocol.md, 2.2).
 *
 * Points are extended coordinates [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (Hisil and others,
 * "Twisted Edwards Curves Revisited", 2008); their addition is complete, so it doubles, too. BigInt
 * is not of constant time, nor is the server's arithmetic; each x is used once.
 * May import `bytes` and `keys`.
 */
import { WireError, bigEndian, fromHex, concat, littleEndian, utf8 } from './bytes.js';
import { hkdf, sha256 } from './keys.js';
/** @import { Bytes } from './bytes.js' */

/** @typedef {[bigint, bigint, bigint, bigint]} Point */

const P = 2n ** 255n - 19n;
/** Order of the base point (RFC 8032, 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** @param {bigint} value */
function mod(value) {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/**
 * @param {bigint} base
 * @param {bigint} exponent
 */
function power(base, exponent) {
  let result = 1n;
  for (let square = mod(base); exponent; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

/** @param {bigint} value */
function inverse(value) {
  return power(value, P - 2n);
}

const D = mod(-121665n * inverse(121666n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);
/** @type {Point} */
const ZERO = [0n, 1n, 1n, 0n];

/**
 * @param {Point} a
 * @param {Point} b
 * @returns {Point}
 */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2);
  const d = mod(2n * z1 * z2);
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

/**
 * @param {Point} point
 * @param {bigint} times 0 or more
 */
function multiply(point, times) {
  let sum = ZERO;
  for (let doubled = point; times; times >>= 1n) {
    if (times & 1n) sum = add(sum, doubled);
    doubled = add(doubled, doubled);
  }
  return sum;
}

/**
 * A point as RFC 8032 writes it, 32 bytes.
 * @param {Point} point
 */
function encode([x, y, z]) {
  const down = inverse(z);
  const number = mod(y * down) | ((mod(x * down) & 1n) << 255n);
  return fromHex(number.toString(16).padStart(64, '0')).reverse();
}

/**
 * The point of 32 bytes. WireError if they are none, or not as RFC 8032 writes it.
 * @param {Uint8Array} bytes
 * @returns {Point}
 */
function decode(bytes) {
  const number = littleEndian(bytes);
  const y = number & ((1n << 255n) - 1n);
  const odd = number >> 255n;
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * SQRT_MINUS_ONE);
  if (y >= P || mod(x * x) !== square || (!x && odd)) throw new WireError('what is no point of the curve');
  if ((x & 1n) !== odd) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

/** @param {string} digits */
const fixed = (digits) => decode(fromHex(digits));
const BASE = fixed('58' + '66'.repeat(31));
const M = fixed('15cfd18e385952982b6a8f8c7854963b58e34388c8e6dae891db756481a02312');
const N = fixed('f04f2e7eb734b2a8f8b472eaf9c3c632576ac64aea650b496a8a20ff00e583c3');

/** One exchange. `random(64)` gives its secret; `message` is what the server is sent. */
export class Spake2 {
  /**
   * @param {Bytes} password
   * @param {bigint} w the password as a number
   * @param {bigint} x
   */
  constructor(password, w, x) {
    this.message = encode(add(multiply(BASE, x), multiply(M, w)));
    this.finish = (/** @type {Uint8Array} */ theirs) => finish(password, w, x, this.message, theirs);
  }

  /**
   * @param {string} password not empty
   * @param {(length: number) => Uint8Array} random
   */
  static async begin(password, random) {
    const bytes = utf8(password.normalize('NFC'));
    const w = bigEndian(await hkdf(bytes, new Uint8Array(), 'SPAKE2 pw', 48)) % L;
    return new Spake2(bytes, w, bigEndian(random(64)) % L);
  }
}

/**
 * The shared secret, 32 bytes. WireError if the server's point cannot be one.
 * @param {Bytes} password
 * @param {bigint} w
 * @param {bigint} x
 * @param {Bytes} ours
 * @param {Uint8Array} theirs
 */
async function finish(password, w, x, ours, theirs) {
  const point = decode(theirs);
  const [zeroX, zeroY, zeroZ] = multiply(point, L);
  if (zeroX || zeroY !== zeroZ || (!point[0] && point[1] === 1n)) throw new WireError('a point of the wrong order');
  const key = encode(multiply(add(point, multiply(N, L - w)), x));
  const names = await Promise.all([password, utf8('voicechat/1 client'), utf8('voicechat/1 server')].map(sha256));
  return sha256(concat(...names, ours, theirs, key));
}
