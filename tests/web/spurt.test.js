import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MARGIN, START } from '../../voicechat/web/src/playout.js';
import { Spurt } from '../../voicechat/web/src/spurt.js';

/** A payload that tells its tick. */
const frame = (tick) => Uint8Array.of(0x48, tick & 255, tick >> 8);
/** The ticks that a recipe decodes; null for what is made up. */
const ticks = (recipe) => recipe && recipe.payloads.map((bytes) => (bytes.length === 1 ? null : bytes[1] | (bytes[2] << 8)));
const LOUD = 0.01;

/** A talker at `way` ticks, whose frames come by `arrive`, and a listener who pulls each tick. */
function play(spurt, from, to, arrivals) {
  const said = [];
  for (let at = from; at < to; at++) {
    for (const [tick, now, marker] of arrivals.filter(([, now]) => now > at - 1 && now <= at)) {
      spurt.put(tick, frame(tick), now, marker ?? false);
    }
    said.push(spurt.pull(at));
    spurt.level = LOUD;
  }
  return said;
}

test('it starts shallow: the first frame is played 7 ms after it came', () => {
  const spurt = new Spurt();
  spurt.put(100, frame(100), 10, true);
  assert.equal(spurt.dueAt, 10 + START);
  assert.ok(START * 20 <= 8);
  assert.equal(spurt.pull(10), null);
  assert.deepEqual(ticks(spurt.pull(10 + START)), [100]);
});

test('a clean spurt is played frame by frame, and ends at its end', () => {
  const spurt = new Spurt();
  const arrivals = Array.from({ length: 50 }, (_, at) => [100 + at, 10 + at, at === 0]);
  const said = play(spurt, 10, 50, arrivals);
  spurt.ends(150);
  said.push(...play(spurt, 50, 70, arrivals));
  assert.deepEqual(said.flatMap((recipe) => ticks(recipe) ?? []), arrivals.map(([tick]) => tick));
  assert.equal(spurt.phase, 'idle');
  assert.deepEqual(spurt.counts, { played: 50, concealed: 0, late: 0, dropped: 0 });
});

test('a frame that is lost is concealed by the byte that libopus takes for a loss', () => {
  const spurt = new Spurt();
  const arrivals = Array.from({ length: 30 }, (_, at) => [100 + at, 10 + at]).filter(([tick]) => tick !== 110);
  const said = play(spurt, 10, 30, [...arrivals.map((arrival) => [...arrival]), [111, 19.5]]).filter(Boolean);
  const lost = said.find((recipe) => recipe.concealed);
  assert.deepEqual([...lost.payloads[0]], [0x48]);
  assert.equal(spurt.counts.concealed, 1);
  assert.deepEqual(ticks(said[said.indexOf(lost) + 1]).at(0), 111);
});

test('what is made up for long falls to silence, and the spurt is over after 100 ms', () => {
  const spurt = new Spurt();
  const said = play(spurt, 10, 30, Array.from({ length: 5 }, (_, at) => [100 + at, 10 + at])).filter(Boolean);
  const made = said.filter((recipe) => recipe.concealed);
  assert.equal(made.length, 4);
  assert.deepEqual(made.map(({ from, to }) => [from, to]), [[1, 1], [1, 1], [1, 0.5], [0.5, 0]]);
  assert.equal(spurt.phase, 'idle');
});

test('a burst after a stall is skipped at once', () => {
  const spurt = new Spurt();
  const before = Array.from({ length: 60 }, (_, at) => [100 + at, 10 + at, at === 0]);
  const stalled = Array.from({ length: 40 }, (_, at) => [160 + at, 110]);
  const after = Array.from({ length: 30 }, (_, at) => [200 + at, 110 + at]);
  const said = play(spurt, 10, 140, [...before, ...stalled, ...after]);
  const first = said.findIndex((recipe, at) => recipe && at > 95 && !recipe.concealed);
  assert.ok(first <= 102, `heard again ${first - 100} ticks after the burst`);
  assert.ok(ticks(said[first]).at(-1) >= 198, 'at the newest word');
  assert.ok(spurt.held < 3, `nothing of the stall is left: ${spurt.held} ticks`);
});

test('the pre-roll, which comes as a burst, is merged away within its first frames', () => {
  const spurt = new Spurt();
  const burst = [100, 101, 102, 103].map((tick, at) => [tick, 13 + at / 100, at === 0]);
  const said = play(spurt, 13, 50, [...burst, ...Array.from({ length: 40 }, (_, at) => [104 + at, 14 + at])]);
  assert.equal(said.slice(0, 8).filter((recipe) => recipe?.merge).length, 3);
  assert.ok(spurt.excess < 0.97, `late by ${spurt.excess}`);
});

test('a late frame is waited for, and the delay grows by what it needs', () => {
  const spurt = new Spurt();
  const arrivals = Array.from({ length: 300 }, (_, at) => [100 + at, 10 + at + (at % 10 === 9 ? 1.4 : 0), at === 0]);
  play(spurt, 10, 310, arrivals);
  assert.ok(spurt.delay.target > 1.4 && spurt.delay.target < 1.4 + 0.25 + MARGIN, String(spurt.delay.target));
  const before = spurt.counts.concealed;
  play(spurt, 310, 400, Array.from({ length: 90 }, (_, at) => [400 + at, 310 + at]));
  assert.ok(spurt.counts.concealed - before <= 1);
});

test('ticks wrap, and a frame that comes twice is played once', () => {
  const spurt = new Spurt();
  let now = 5;
  const heard = [];
  for (let wire = 0xfff0; wire < 0x10010; wire++, now++) {
    const tick = spurt.unwrap(wire & 0xffff, now);
    spurt.put(tick, frame(wire & 0xffff), now, wire === 0xfff0);
    spurt.put(tick, frame(wire & 0xffff), now, false);
    heard.push(...(ticks(spurt.pull(now + 0.4)) ?? []));
    spurt.level = LOUD;
  }
  assert.deepEqual(heard.slice(0, 20), Array.from({ length: 20 }, (_, at) => (0xfff0 + at) & 0xffff));
});

test('what it holds is bounded, whatever ticks come', () => {
  const spurt = new Spurt();
  for (let round = 0; round < 5000; round++) {
    const now = 10 + round / 50;
    spurt.put(spurt.unwrap(Math.floor(Math.random() * 65536), now), frame(1), now, round % 3 === 0);
    if (round % 50 === 0) spurt.pull(now);
    assert.ok(spurt.frames.size <= 65, String(spurt.frames.size));
    assert.ok(spurt.seen.size <= 64);
  }
});
