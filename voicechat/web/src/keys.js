/**
 * The keys of a session, and the strings sealed with them (docs/wire-protocol.md, 2.3 and 3).
 *
 * SHA-256, HKDF and HMAC are WebCrypto's. May import `bytes` and `chacha`.
 */
import { concat, utf8 } from './bytes.js';
import { open, seal } from './chacha.js';
/** @import { Bytes } from './bytes.js' */

/**
 * @param {Bytes} bytes
 * @returns {Promise<Bytes>}
 */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/**
 * HKDF-SHA256 (RFC 5869).
 * @param {Bytes} secret
 * @param {Bytes} salt
 * @param {string} info
 * @param {number} length in bytes
 * @returns {Promise<Bytes>}
 */
export async function hkdf(secret, salt, info, length) {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * length));
}

/**
 * HMAC-SHA256 (RFC 2104).
 * @param {Bytes} secret
 * @param {Bytes} message
 * @returns {Promise<Bytes>}
 */
export async function hmac(secret, message) {
  const how = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret, how, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}

/** Strings of one direction, counted: each number is a nonce once. */
export class Counted {
  /** @param {Bytes} key */
  constructor(key) {
    this.key = key;
    this.count = 0;
  }

  nonce() {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.count++));
    return nonce;
  }

  /** @param {Uint8Array} packet */
  seal(packet) {
    return seal(this.key, this.nonce(), packet);
  }

  /**
   * WireError if it does not open; nothing more is to be opened then.
   * @param {Uint8Array} string
   */
  open(string) {
    return open(this.key, this.nonce(), string);
  }
}

/** The client's end of a session's keys. */
export class SessionKeys {
  /** @param {Bytes} okm 160 bytes: confirm, c2s, s2c and the two of UDP */
  constructor(okm) {
    this.confirm = okm.slice(0, 32);
    this.out = new Counted(okm.slice(32, 64));
    this.in = new Counted(okm.slice(64, 96));
  }

  /**
   * @param {Bytes} secret
   * @param {Bytes} transcript the handshake's strings, one behind the other
   * @param {string} label
   */
  static async derive(secret, transcript, label) {
    return new SessionKeys(await hkdf(secret, await sha256(transcript), label, 160));
  }

  /**
   * What `who` shows to prove that they have these keys.
   * @param {'client' | 'server'} who
   * @param {Bytes} transcript
   */
  proof(who, transcript) {
    return hmac(this.confirm, concat(utf8(who), transcript));
  }
}
