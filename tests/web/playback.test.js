import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Playback } from '../../voicechat/web/src/playback.js';

const TICK = 20;
const FRAME = 960;

/** A playback between a worklet and what is heard, both by hand; `at` sets the clock, in milliseconds. */
function stage(t) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const timers = [];
  t.mock.method(globalThis, 'setTimeout', (call, ms) => timers.push({ call, at: now + ms }));
  const hearing = { dueAt: null, lacks: false, pulled: [], frames: 1e9, put() {}, stop() {} };
  hearing.pull = async (tick) => {
    hearing.pulled.push(tick);
    return hearing.frames-- > 0 ? new Float32Array(FRAME) : null;
  };
  const sent = [];
  const port = { close() {}, postMessage: (message) => sent.push(message), onmessage: null };
  const playback = new Playback(hearing);
  playback.attach(port);
  const told = (frame, ask) => port.onmessage({ data: { frame, ask } });
  const at = (ms) => {
    now = ms;
    for (const timer of timers.splice(0)) timer.at <= now ? timer.call() : timers.push(timer);
  };
  return { playback, hearing, sent, told, at, settle: () => new Promise(setImmediate) };
}

test('a spurt begins at the very sample that its delay asks for', (t) => {
  const { playback, hearing, sent, told, at } = stage(t);
  told(48000);
  hearing.dueAt = 1050.5 / TICK;
  at(1010);
  playback.arrived({}, 1010);
  assert.deepEqual(sent, [{ start: 48000 + 50.5 * 48 }]);
});

test('one that is late already begins later by whole frames, so that the next ones are on time', (t) => {
  const { playback, hearing, sent, told, at } = stage(t);
  told(48000);
  hearing.dueAt = 960 / TICK;
  at(1010);
  playback.arrived({}, 1010);
  const [{ start }] = sent;
  assert.equal((start - (48000 - 40 * 48)) % FRAME, 0);
  assert.ok(start >= 48000 + 16 * 48 && start < 48000 + 16 * 48 + FRAME);
});

test('a frame that is here is given at once, for the time at which it will be heard', async (t) => {
  const { hearing, sent, told, settle } = stage(t);
  told(48000, 48000 + 512);
  await settle();
  assert.deepEqual(hearing.pulled, [(1000 + 512 / 48) / TICK]);
  assert.equal(sent[0].pcm.length, FRAME);
});

test('one that may still come is waited for, until it comes', async (t) => {
  const { playback, hearing, sent, told, at, settle } = stage(t);
  playback.playing = true;
  hearing.lacks = true;
  told(48000, 48000 + 960);
  await settle();
  assert.deepEqual(sent, []);
  hearing.lacks = false;
  at(1005);
  playback.arrived({}, 1005);
  await settle();
  assert.equal(sent.length, 1);
});

test('and no longer than until the last moment', async (t) => {
  const { playback, hearing, sent, told, at, settle } = stage(t);
  playback.playing = true;
  hearing.lacks = true;
  told(48000, 48000 + 960);
  at(1015);
  await settle();
  assert.deepEqual(sent, []);
  at(1017);
  await settle();
  assert.equal(sent.length, 1);
});

test('when nothing more is on its way the worklet rests', async (t) => {
  const { playback, hearing, sent, told, settle } = stage(t);
  hearing.frames = 0;
  playback.playing = true;
  told(48000, 48512);
  await settle();
  assert.deepEqual(sent, [{ rest: true }]);
  assert.equal(playback.playing, false);
});

test('the clock is told by the soonest of the last messages, and anew after the device stood still', (t) => {
  const { playback, hearing, sent, told, at } = stage(t);
  told(48000);
  at(1013);
  told(48128);
  assert.equal(playback.timeOf(48000), 1000);
  at(9000);
  told(48256);
  assert.equal(playback.timeOf(48256), 9000);
  hearing.dueAt = 9050 / TICK;
  playback.arrived({}, 9001);
  assert.deepEqual(sent, [{ start: 48256 + 50 * 48 }]);
});
