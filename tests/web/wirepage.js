/** The examples of docs/wire-protocol.md, by name, for the tests of the page's code. */
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromHex, concat, utf8 } from '../../voicechat/web/src/bytes.js';

// Node 18, which Debian 12 has, does not name it as browsers do.
globalThis.crypto ??= webcrypto;

const PAGE = readFileSync(new URL('../../docs/wire-protocol.md', import.meta.url), 'utf8');

/** @type {Map<string, string[]>} */
const blocks = new Map();
for (const [, name, lines] of PAGE.matchAll(/^```(hex [^\n]+|control[^\n]*)\n(.*?)^```/gms)) {
  blocks.set(name, lines.trim().split('\n'));
}

/** Bytes of the example `name`, a block of hexadecimal digits. */
export function example(name) {
  const lines = blocks.get(`hex ${name}`);
  if (!lines) throw new Error(`docs/wire-protocol.md has no example ${name}`);
  return fromHex(lines.map((line) => line.replace(/#.*/, '').replace(/\s/g, '')).join(''));
}

/** The control packets of the block `name` ('' for the one with one of each). */
export function controls(name) {
  const lines = blocks.get(name ? `control ${name}` : 'control');
  if (!lines) throw new Error(`docs/wire-protocol.md has no control ${name}`);
  return lines.map((line) => concat(fromHex(line.slice(0, 2)), utf8(line.slice(2))));
}
