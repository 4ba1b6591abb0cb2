import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoundTrips, TRIPS_KEPT } from '../../voicechat/web/src/roundtrips.js';

const after = (...times) => {
  const trips = new RoundTrips();
  for (const took of times) trips.add(took);
  return trips;
};

test('a standstill is no round trip', () => {
  assert.equal(after(20, 20, 1500, 20).usual, 20);
  assert.equal(after(20, 20, 5000, 5000, 20).usual, 20);
  assert.deepEqual(after(20, 20, 1500, 20).kept, [20, 20, 20]);
});

test('a way that has become longer is believed at the second sight of it', () => {
  assert.equal(after(20, 600).usual, 20);
  assert.ok(after(20, 600, 600).usual > 100);
  assert.equal(after(400, 600).usual, 450);
});

test('how uneven they are leaves the longest out', () => {
  const trips = after(30, 20, 40, 24, 120);
  assert.deepEqual(trips.lateness, [0, 0.2, 0.5, 1]);
  assert.ok(trips.learning);
  const many = after(...new Array(50).fill(20));
  assert.equal(many.kept.length, TRIPS_KEPT);
  assert.equal(many.learning, false);
  assert.deepEqual(new RoundTrips().lateness, []);
});
