/**
 * Bytes: joined, compared, read as numbers and as hexadecimal digits.
 *
 * Imports nothing. Works in the page, the Worker and under node alike.
 */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** What the other side sent breaks a rule of docs/wire-protocol.md: the connection ends. */
export class WireError extends Error {}

const TEXT = new TextEncoder();

/**
 * UTF-8 of a text.
 * @param {string} text
 * @returns {Bytes}
 */
export function utf8(text) {
  return new Uint8Array(TEXT.encode(text));
}

/**
 * All of them, one behind the other.
 * @param {...Uint8Array} parts
 * @returns {Bytes}
 */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Bytes of hexadecimal digits; an even number of them, unchecked.
 * @param {string} digits
 * @returns {Bytes}
 */
export function fromHex(digits) {
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/**
 * Hexadecimal digits of bytes.
 * @param {Uint8Array} bytes
 */
export function toHex(bytes) {
  let digits = '';
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  return digits;
}

/**
 * Whether two are the same, in a time that does not tell where they differ.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function same(a, b) {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a[at] ^ (b[at] ?? 0);
  return difference === 0;
}

/**
 * One number, least byte first.
 * @param {Uint8Array} bytes
 */
export function littleEndian(bytes) {
  return BigInt('0x0' + toHex(bytes.slice().reverse()));
}

/**
 * One number, greatest byte first.
 * @param {Uint8Array} bytes
 */
export function bigEndian(bytes) {
  return BigInt('0x0' + toHex(bytes));
}
