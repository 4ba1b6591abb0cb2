import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { WireError, fromHex, toHex } from '../../voicechat/web/src/bytes.js';
import {
  KINDS,
  ME,
  decodeControl,
  decodeMedia,
  encodeControl,
  encodeMedia,
  isFrame,
  isMedia,
  singles,
} from '../../voicechat/web/src/packets.js';
import { controls, example } from './wirepage.js';

const SOUND = fromHex('48010203');

test('the media packets of the wire page are made', () => {
  assert.equal(toHex(encodeMedia(4660, SOUND, { marker: true })), toHex(example('media packet')));
  assert.equal(toHex(encodeMedia(4662, new Uint8Array(), { end: true })), toHex(example('end of a spurt')));
  const again = encodeMedia(4661, fromHex('480405'), { offset: 1, redundant: SOUND });
  assert.equal(toHex(again), toHex(example('media packet with redundancy')).replace(/^0103/, '01ff'));
});

test('the media packets of the wire page are read', () => {
  const plain = { source: ME, tick: 4660, marker: true, end: false, offset: 0, redundant: null, pair: false };
  assert.deepEqual(decodeMedia(example('media packet')), { ...plain, payload: SOUND });
  const twice = decodeMedia(example('media packet with redundancy'));
  assert.deepEqual([twice.source, twice.offset, twice.redundant, twice.pair], [3, 1, SOUND, false]);
  const [first, second] = singles(decodeMedia(example('pair')));
  assert.deepEqual([first.tick, first.marker, first.payload], [4662, true, SOUND]);
  assert.deepEqual([second.tick, second.marker, second.payload], [4663, false, fromHex('480405')]);
  assert.equal(decodeMedia(example('end of a spurt')).end, true);
});

test('the control packets of the wire page are read, and made again', () => {
  for (const packet of [...controls(''), ...controls('welcome'), ...controls('request')]) {
    const read = decodeControl(packet);
    assert.equal(KINDS[read.kind], packet[0]);
    assert.equal(toHex(encodeControl(read.kind, read.fields)), toHex(packet));
  }
});

test('unknown kinds are ignored; what is no object of JSON is an error', () => {
  assert.equal(decodeControl(fromHex('ff7b7d')), null);
  for (const digits of ['80', '805b5d', '806e756c6c', '8031', '807b', '80227b7d22', '807bff7d', '', '01']) {
    assert.throws(() => decodeControl(fromHex(digits)), WireError, digits);
  }
});

test('garbage is a packet or an error of the wire', () => {
  for (let round = 0; round < 3000; round++) {
    const bytes = new Uint8Array(randomBytes(randomBytes(1)[0] % 40));
    try {
      const packet = isMedia(bytes) ? decodeMedia(bytes) : decodeControl(bytes);
      if (packet && 'payload' in packet) singles(packet);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

test('only mono frames of 20 ms are handed to the decoder, which others would close', () => {
  for (const [digits, good] of [['48', true], ['08', true], ['78', true], ['f8', true], ['4c', false], ['49', false]]) {
    assert.equal(isFrame(fromHex(digits)), good, digits);
  }
  assert.equal(isFrame(new Uint8Array()), false);
  assert.equal(isFrame(new Uint8Array(401).fill(0x48)), false);
});
