/**
 * Short sounds for what somebody in a full-screen game does not see.
 *
 * Two soft tones each, up for good news and down for bad, made as they are wanted.
 * Works in the page. May import nothing.
 */

/** Hertz of the two tones. @type {Record<string, [number, number]>} */
const TONES = {
  in: [523, 784],
  joined: [587, 784],
  left: [587, 440],
  lost: [440, 262],
  text: [880, 880],
  mute: [494, 370],
  unmute: [370, 494],
};
const SECONDS = 0.07;
const LEVEL = 0.08;

/**
 * @param {AudioContext} context
 * @param {string} name
 */
export function play(context, name) {
  const tones = TONES[name];
  if (!tones || context.state !== 'running') return;
  const gain = context.createGain();
  gain.connect(context.destination);
  const oscillator = context.createOscillator();
  const start = context.currentTime + 0.01;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LEVEL, start + 0.01);
  gain.gain.setValueAtTime(LEVEL, start + 2 * SECONDS - 0.02);
  gain.gain.linearRampToValueAtTime(0, start + 2 * SECONDS);
  oscillator.frequency.setValueAtTime(tones[0], start);
  oscillator.frequency.setValueAtTime(tones[1], start + SECONDS);
  oscillator.connect(gain);
  oscillator.start(start);
  oscillator.stop(start + 2 * SECONDS);
}
