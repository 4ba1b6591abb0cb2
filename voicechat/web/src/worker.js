/**
 * The Worker: the whole client but the microphone, the loudspeaker and what is drawn.
 *
 * Here, since a page that is hidden, or lies under a game, has its timers held up, and a Worker has not.
 * The page sends wishes and gets what there is to show, at most each 50 ms. May import `call`, `service`.
 */
import { Call } from './call.js';
import { Service } from './service.js';
/** @import { Target } from './service.js' */
/** @import { TalkMode, Wish } from './transmit.js' */

/**
 * @typedef {object} Command from the page; any of these
 * @property {Target} [join]
 * @property {true} [leave]
 * @property {true} [retry]
 * @property {Wish} [wish]
 * @property {TalkMode} [mode]
 * @property {boolean} [held] the talk key
 * @property {string} [text]
 * @property {{name: string, db: number}} [volume]
 * @property {[string, number][]} [volumes]
 * @property {MessagePort} [microphone]
 * @property {MessagePort} [loudspeaker]
 * @property {boolean} [watched] somebody looks: levels are wanted
 * @property {object} [offer] for the server
 * @property {string} [rtc] how the browser's connection is
 */

const SHOWN_EVERY = 50;
const LEVEL_EVERY = 100;
/** Milliseconds until WebRTC is tried again after it failed. */
const RTC_AGAIN = 5000;

/** @type {Service | null} */
let service = null;
let watched = true;
let shown = 0;
let levelAt = 0;

const call = new Call({
  say: (line, kind, from) => postMessage({ say: line, kind, from }),
  cue: (name) => postMessage({ cue: name }),
  offer: () => postMessage({ wantOffer: true }),
  accept: (accept, port) => postMessage({ accept, port }),
  changed: () => {
    shown ||= setTimeout(show, SHOWN_EVERY);
  },
});

function show() {
  shown = 0;
  const { state = 'ended', why = '', tries = 0, nextAt = 0 } = service ?? {};
  const waits = state === 'waiting' && !service?.connection;
  postMessage({
    view: { ...call.view, state, why, tries, nextIn: waits ? Math.max(0, nextAt - performance.now()) : null },
  });
}

/** @param {MessageEvent<Float32Array>} event */
function captured({ data }) {
  call.captured(data);
  const now = performance.now();
  if (!watched || now - levelAt < LEVEL_EVERY) return;
  levelAt = now;
  postMessage({ level: call.uplink.level, opensAt: call.uplink.gate.opensAt });
}

/** What each command does. @type {Record<string, (value: any) => void>} */
const COMMANDS = {
  join: (/** @type {Target} */ target) => (service = new Service(target, call)),
  leave: () => service?.leave(),
  retry: () => service?.retry(),
  wish: (/** @type {Wish} */ wish) => call.wish(wish),
  mode: (/** @type {TalkMode} */ mode) => (call.mode = mode),
  held: (/** @type {boolean} */ held) => (call.held = held),
  text: (/** @type {string} */ text) => call.write(text),
  volume: (/** @type {{name: string, db: number}} */ { name, db }) => call.setVolume(name, db),
  volumes: (/** @type {[string, number][]} */ volumes) => (call.volumes = new Map(volumes)),
  microphone: (/** @type {MessagePort} */ port) => (port.onmessage = captured),
  loudspeaker: (/** @type {MessagePort} */ port) => call.playback.attach(port),
  watched: (/** @type {boolean} */ looks) => (watched = looks),
  offer: (/** @type {object} */ offer) => call.connection?.send('offer', offer),
  rtc: (/** @type {string} */ state) => rtcChanged(state),
};

onmessage = (/** @type {MessageEvent<Command>} */ { data }) => {
  for (const [name, value] of Object.entries(data)) COMMANDS[name]?.(value);
};

/**
 * The browser's connection of WebRTC is another one. One that failed is made anew after some seconds.
 * @param {string} state
 */
function rtcChanged(state) {
  call.datagrams.connected = state === 'connected';
  call.datagrams.up(performance.now());
  if (state === 'failed') setTimeout(() => service?.state === 'in' && postMessage({ wantOffer: true }), RTC_AGAIN);
}

// Each direction of it is handed over by the page.
self.addEventListener('rtctransform', (event) => call.datagrams.attach(/** @type {any} */ (event).transformer));

setInterval(() => call.report(), 1000);
setInterval(() => {
  if (service && service.state !== 'ended') show();
}, 500);
