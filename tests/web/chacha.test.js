import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { WireError, fromHex, toHex, utf8 } from '../../voicechat/web/src/bytes.js';
import { block, open, poly1305, seal } from '../../voicechat/web/src/chacha.js';

const COUNTING = (first) => Uint8Array.from({ length: 32 }, (_, at) => first + at);
const LADIES = utf8(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);

test('RFC 8439, 2.3.2: the block function', () => {
  const stream = block(COUNTING(0), 1, fromHex('000000090000004a00000000'));
  assert.equal(
    toHex(stream),
    '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
      'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
  );
});

test('RFC 8439, 2.5.2 and A.3: Poly1305', () => {
  const key = fromHex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b');
  assert.equal(toHex(poly1305(key, utf8('Cryptographic Forum Research Group'))), 'a8061dc1305136c6c22b8baf0c0127a9');
  const edges = [
    ['02', '00', 'ff'.repeat(16), '03'],
    ['02', 'ff'.repeat(16), '02', '03'],
    ['01', '00', 'ff'.repeat(16) + 'f0' + 'ff'.repeat(15) + '11' + '00'.repeat(15), '05'],
    ['01', '00', 'ff'.repeat(16) + 'fb' + 'fe'.repeat(15) + '01'.repeat(16), '00'],
    ['02', '00', 'fd' + 'ff'.repeat(15), 'fa' + 'ff'.repeat(15)],
  ];
  const whole = (digits, length = 32) => digits.padEnd(Math.max(length, digits.length), '0');
  for (const [r, s, data, tag] of edges) {
    assert.equal(toHex(poly1305(fromHex(whole(r) + whole(s)), fromHex(whole(data)))), whole(tag));
  }
});

test('RFC 8439, 2.8.2: sealed with associated data', () => {
  const nonce = fromHex('070000004041424344454647');
  const sealed = seal(COUNTING(0x80), nonce, LADIES, fromHex('50515253c0c1c2c3c4c5c6c7'));
  assert.equal(
    toHex(sealed),
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b' +
      '1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  );
  assert.deepEqual(open(COUNTING(0x80), nonce, sealed, fromHex('50515253c0c1c2c3c4c5c6c7')), LADIES);
});

test('every length is sealed as OpenSSL seals it, and opens', () => {
  for (const length of [...Array(70).keys(), 127, 128, 129, 1000, 4076]) {
    const [key, nonce, text] = [32, 12, length].map((size) => new Uint8Array(randomBytes(size)));
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
    const theirs = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    assert.equal(toHex(seal(key, nonce, text)), theirs.toString('hex'));
    assert.deepEqual(open(key, nonce, new Uint8Array(theirs)), text);
  }
});

test('a bit that changed anywhere, and a string too short, do not open', () => {
  const [key, nonce] = [COUNTING(1), new Uint8Array(12)];
  const sealed = seal(key, nonce, LADIES.slice(0, 40));
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at] ^= 1 << (at & 7);
    assert.throws(() => open(key, nonce, changed), WireError);
  }
  for (let length = 0; length < sealed.length; length++) {
    assert.throws(() => open(key, nonce, sealed.slice(0, length)), WireError);
  }
});
