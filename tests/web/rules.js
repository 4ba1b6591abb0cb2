/** Runs the page's gate and playout delay over what stands on standard input, for test_rules.py to compare. */
import { readFileSync } from 'node:fs';
import { Gate } from '../../voicechat/web/src/gate.js';
import { PlayoutDelay } from '../../voicechat/web/src/playout.js';

const { frames, arrivals, expected } = JSON.parse(readFileSync(0, 'utf8'));

const gate = new Gate();
const open = frames.map(([level, mode]) => {
  gate.mode = mode;
  return gate.push(level);
});

const delay = new PlayoutDelay();
delay.expect(expected);
const targets = arrivals.map(([tick, now, marker, burst]) => {
  delay.observe(tick, now, marker, burst);
  return [delay.target, delay.base];
});

process.stdout.write(JSON.stringify({ open, targets }));
