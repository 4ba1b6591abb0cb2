import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireError, toHex } from '../../voicechat/web/src/bytes.js';
import { readMessage } from '../../voicechat/web/src/messages.js';
import { KINDS, encodeControl } from '../../voicechat/web/src/packets.js';
import { TextError, askedLine, askedName, askedRoom } from '../../voicechat/web/src/texts.js';
import { controls } from './wirepage.js';

test('the welcome of the wire page', () => {
  const welcome = readMessage(controls('welcome')[0]);
  assert.equal(welcome.kind, 'welcome');
  assert.deepEqual([welcome.source, welcome.name, welcome.room, welcome.bitrate], [4, 'Ann', 'den', 24000]);
  assert.deepEqual(welcome.roster, [
    { source: 3, name: 'Ben', away: false, muted: false, deafened: false, quality: 'saver' },
  ]);
  assert.equal(toHex(welcome.ticket.id), '000102030405060708090a0b0c0d0e0f');
  assert.equal(welcome.letters, false);
});

const FINGERPRINT = Array(32).fill('AB').join(':');

test('each message of the wire page that a server sends', () => {
  const read = controls('').map(readMessage);
  assert.deepEqual(
    read.map((message) => message.kind),
    ['joined', 'left', 'away', 'back', 'talk', 'talk', 'state', 'other', 'text', 'ping', 'pong', 'other', 'report', 'bye', 'other', 'accept'],
  );
  assert.deepEqual(read[5], { kind: 'talk', source: 3, talking: true, wayMs: 12, heldMs: 21 });
  assert.deepEqual(read[13], { kind: 'bye', reason: 'shutting down', retry: 0.5 });
});

test('a field that is missing, of another type or out of range is an error', () => {
  const person = { source: 3, name: 'Ben' };
  const good = { source: 4, name: 'Ann', room: '', connection: 1, roster: [person] };
  assert.equal(readMessage(encodeControl('welcome', good)).bitrate, 12000);
  for (const [kind, fields] of [
    ['welcome', { ...good, roster: 3 }],
    ['welcome', { ...good, roster: Array(21).fill(person) }],
    ['welcome', { ...good, bitrate: 7999 }],
    ['welcome', { ...good, ticket: { id: 'x', secret: 'y' } }],
    ['welcome', { ...good, name: 'A\u202enn' }],
    ['joined', {}],
    ['joined', { participant: { source: 251, name: 'x' } }],
    ['joined', { participant: { source: 3, name: 'x', away: 1 } }],
    ['left', { source: 0 }],
    ['left', { source: 1.5 }],
    ['talk', { source: 3, talking: true, way_ms: -1 }],
    ['text', { source: 3, text: 'x'.repeat(1001) }],
    ['text', { source: 3, text: 'a\u0007' }],
    ['text', { source: 3 }],
    ['accept', { ufrag: 'abcd\r\na=x', password: 'x'.repeat(24), fingerprint: FINGERPRINT, ssrc: 1 }],
    ['accept', { ufrag: 'abcd', password: 'x'.repeat(21), fingerprint: FINGERPRINT, ssrc: 1 }],
    ['accept', { ufrag: 'abcd', password: 'x'.repeat(24), fingerprint: 'AB', ssrc: 1 }],
    ['accept', { ufrag: 'abcd', password: 'x'.repeat(24), fingerprint: FINGERPRINT, ssrc: 0 }],
    ['ping', { id: -1 }],
    ['ping', { id: '1' }],
    ['bye', { retry: 1e9 }],
  ]) {
    assert.throws(() => readMessage(encodeControl(kind, fields)), WireError, `${kind} ${JSON.stringify(fields)}`);
  }
  assert.ok(Object.keys(KINDS).length === 17);
});

test('names that a form can refuse at once', () => {
  assert.equal(askedName('  Zu\u0308 rich\u00a0 x '), 'Z\u00fc rich x');
  assert.equal(askedName('\u{1f468}\u200d\u{1f469}\u200d\u{1f467} A'), '\u{1f468}\u200d\u{1f469}\u200d\u{1f467} A');
  for (const name of ['', ' ', 'x'.repeat(33), '!!', 'Ann (2)', 'A\u202enn', '\u{1f600}'.repeat(33)]) {
    assert.throws(() => askedName(name), TextError, name);
  }
  assert.equal(askedRoom(' '), '');
  assert.throws(() => askedRoom('x'.repeat(65)), TextError);
  assert.equal(askedLine(' a\u0000b\u202e '), 'a b');
  assert.equal([...askedLine('\u{1f600}'.repeat(600))].length, 500);
});
