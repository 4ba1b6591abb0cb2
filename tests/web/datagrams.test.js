import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datagrams } from '../../voicechat/web/src/datagrams.js';

/** A frame of WebRTC as a browser hands it over. */
const rtp = (sequenceNumber, rtpTimestamp, data, contributingSources = []) => ({
  data: Uint8Array.from(data).buffer,
  getMetadata: () => ({ sequenceNumber, rtpTimestamp, contributingSources }),
});

/** A way whose time is an argument, and what it told. */
function way(t) {
  const heard = [];
  const changes = [];
  const made = new Datagrams((packet) => heard.push(packet), () => changes.push(made.was));
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const written = [];
  const writer = { write: async (frame) => written.push(new Uint8Array(frame.data)) };
  const pass = (ms) => {
    for (const end = now + ms; now < end; now += 20) {
      made.carry(rtp(0, 0, [0, 0, 0]), writer);
      made.up(now);
    }
  };
  return { made, heard, changes, written, pass, now: () => now };
}

test('sound goes this way once the browser has a connection and frames to carry it', (t) => {
  const { made, changes, written, pass, now } = way(t);
  pass(100);
  assert.equal(made.up(now()), false);
  made.connected = true;
  pass(20);
  assert.deepEqual(changes, [true]);
  made.send(Uint8Array.of(0x48, 1, 2));
  made.send(Uint8Array.of(0x48, 3));
  pass(60);
  assert.deepEqual(written, [Uint8Array.of(0x48, 1, 2), Uint8Array.of(0x48, 3)]);
});

test('where nothing is to be said nothing is sent, and little waits', (t) => {
  const { made, written, pass } = way(t);
  made.connected = true;
  pass(200);
  assert.deepEqual(written, []);
  for (let payload = 0; payload < 10; payload++) made.send(Uint8Array.of(0x48, payload));
  assert.equal(made.waiting.length, 3);
});

test('two seconds of sending of which no report tells end it, and it is tried again later and later', (t) => {
  const { made, changes, pass } = way(t);
  made.connected = true;
  const talk = (ms) => {
    for (let left = ms; left > 0; left -= 20) {
      if (made.was) made.send(Uint8Array.of(0x48, 1));
      pass(20);
    }
  };
  talk(1900);
  assert.deepEqual(changes, [true]);
  talk(200);
  assert.deepEqual(changes, [true, false]);
  talk(4800);
  assert.deepEqual(changes, [true, false]);
  talk(400);
  assert.deepEqual(changes, [true, false, true]);
  talk(2100);
  assert.deepEqual(changes, [true, false, true, false]);
  talk(9500);
  assert.equal(made.was, false, 'the second pause is twice as long');
  talk(800);
  assert.equal(made.was, true);
  for (let second = 0; second < 10; second++) {
    made.reported({ expected: 50, lost: 10, bursts: 3 });
    talk(1000);
  }
  assert.equal(made.was, true, 'reports that some came keep it');
});

test('a report that all was lost is no sign of life', (t) => {
  const { made, pass } = way(t);
  made.connected = true;
  pass(40);
  for (let second = 0; second < 3; second++) {
    made.send(Uint8Array.of(0x48));
    made.reported({ expected: 50, lost: 50, bursts: 1 });
    pass(1000);
  }
  assert.equal(made.was, false);
});

test('a track that stands still, and a connection that ended, are left at once', (t) => {
  const { made, pass, now } = way(t);
  made.connected = true;
  pass(40);
  assert.equal(made.up(now() + 250), false);
  pass(40);
  assert.equal(made.was, true);
  made.reset();
  assert.equal(made.was, false);
});

test('what comes are packets of whom the server names', (t) => {
  const { made, heard } = way(t);
  made.take(rtp(7, 960 * 70000, [0x48, 1, 2], [3]));
  made.take(rtp(8, 960 * 70001, [0x48], [3]));
  made.take(rtp(9, 960 * 70002, [0x48, 1, 2]));
  made.take(rtp(10, 960, [0xff, 1, 2]));
  assert.deepEqual(
    heard.map(({ source, tick, payload, end }) => [source, tick, payload.length, end]),
    [
      [3, 70000 & 0xffff, 3, false],
      [3, 70001 & 0xffff, 0, true],
      [0, 70002 & 0xffff, 3, false],
    ],
  );
});

test('a report counts what was lost, and in how many bursts', (t) => {
  const { made } = way(t);
  assert.equal(made.loss(), null);
  for (const number of [65530, 65531, 65534, 0, 2, 1, 1, 5]) made.take(rtp(number, 0, [0x48, 1, 2]));
  assert.deepEqual(made.loss(), { expected: 12, lost: 5, bursts: 3 });
  for (const number of [6, 7, 8]) made.take(rtp(number, 0, [0x48, 1, 2]));
  assert.deepEqual(made.loss(), { expected: 3, lost: 0, bursts: 0 });
});
