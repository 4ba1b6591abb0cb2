/**
 * The page: a form to join by, and the call. What it shows, the Worker tells; what one does, it is told.
 *
 * May import all that works in the page.
 */
import { Audio } from './audio.js';
import { play } from './cues.js';
import { byId, choice, field, setText } from './elements.js';
import { canTalk, fillForm, readForm, tellError } from './join.js';
import { Keys } from './pushtotalk.js';
import { MUTED_DB } from './people.js';
import { Rtc, hasRtc } from './rtc.js';
import { remember, rememberVolume, settings } from './settings.js';
import { offerItself } from './stranger.js';
import { askedLine } from './texts.js';
import { CallView } from './view.js';

/** @type {Audio | null} */
let audio = null;
/** @type {Worker | null} */
let worker = null;
let joined = false;
/** @type {Rtc | null} */
let rtc = null;
let host = '';

/** @param {object} command */
const tell = (command) => worker?.postMessage(command);
const keys = new Keys((held) => tell({ held }));
const view = new CallView((name, db) => {
  rememberVolume(name, db);
  tell({ volume: { name, db: db <= MUTED_DB ? MUTED_DB : db } });
});

/** @param {MessageEvent} event from the Worker */
function told({ data }) {
  if (data.view) {
    view.draw(data.view);
    if (data.view.state === 'ended' && joined) ended(data.view.why);
  }
  if (data.level !== undefined) view.drawLevel(data.level, data.opensAt);
  if (data.say) view.say(data.say, data.kind, data.from);
  if (data.wantOffer) rtc?.offer();
  if (data.accept) rtc?.accept(data.accept, host, data.port).catch((error) => view.say(`no UDP: ${error.message}`, 'event'));
  if (data.cue && audio && field('cues').checked) play(audio.context, data.cue);
}

/** @param {Event} [event] */
async function join(event) {
  event?.preventDefault();
  if (joined) return;
  const target = readForm();
  if (!target) return;
  joined = true;
  tellError('');
  const code = new Blob([byId('worker').textContent ?? ''], { type: 'text/javascript' });
  worker = new Worker(URL.createObjectURL(code));
  worker.onmessage = told;
  tell({ volumes: settings.volumes ?? [], mode: choice('mode').value, watched: !document.hidden });
  view.begin(target.where);
  keys.mode = choice('mode').value;
  audio = new Audio(worker, (line, kind) => view.say(line, kind));
  const ready = audio.start(settings.microphone ?? '', settings.loudspeaker ?? '');
  host = target.host;
  if (hasRtc) rtc = new Rtc(worker, audio.context);
  tell({ join: { ...target, rtc: hasRtc } });
  await ready.catch((error) => view.say(`the sound system cannot be used (${error.message})`, 'trouble'));
  await view.drawDevices(audio);
}

/** The call is over: back to the form. @param {string} why */
async function ended(why) {
  joined = false;
  keys.letGo();
  rtc?.close();
  rtc = null;
  worker?.terminate();
  worker = null;
  const over = audio;
  audio = null;
  view.end();
  byId('join').hidden = false;
  document.documentElement.dataset.state = why ? 'failed' : 'left';
  tellError(why);
  await over?.stop();
}

/** @param {string} wish @param {string} undo */
const toggle = (wish, undo) => (/** @type {MouseEvent} */ { currentTarget }) => {
  const pressed = /** @type {HTMLElement} */ (currentTarget).getAttribute('aria-pressed') === 'true';
  tell({ wish: pressed ? undo : wish });
};

/** @param {SubmitEvent} event */
function write(event) {
  event.preventDefault();
  const text = askedLine(field('text').value);
  if (!text) return;
  if (!view.maySend(performance.now())) {
    view.say('too many lines at once: wait some seconds', 'trouble');
    return;
  }
  tell({ text });
  field('text').value = '';
}

function listen() {
  byId('join').addEventListener('submit', join);
  byId('write').addEventListener('submit', write);
  byId('mute').addEventListener('click', toggle('mute', 'unmute'));
  byId('deafen').addEventListener('click', toggle('deafen', 'undeafen'));
  byId('leave').addEventListener('click', () => tell({ leave: true }));
  byId('retry').addEventListener('click', () => tell({ retry: true }));
  choice('mode').addEventListener('change', ({ target }) => {
    const mode = /** @type {HTMLSelectElement} */ (target).value;
    keys.mode = mode;
    remember({ mode });
    tell({ mode });
  });
  choice('microphone').addEventListener('change', () => {
    remember({ microphone: choice('microphone').value });
    audio?.setMicrophone(choice('microphone').value);
  });
  choice('loudspeaker').addEventListener('change', () => {
    remember({ loudspeaker: choice('loudspeaker').value });
    audio?.setLoudspeaker(choice('loudspeaker').value);
  });
  field('cues').addEventListener('change', () => remember({ cues: field('cues').checked }));
  navigator.mediaDevices.addEventListener('devicechange', () => audio && view.drawDevices(audio));
  document.addEventListener('visibilitychange', () => tell({ watched: !document.hidden }));
  addEventListener('pagehide', () => tell({ leave: true }));
}

async function begin() {
  if (!isSecureContext) {
    document.documentElement.dataset.state = 'stranger';
    offerItself();
    return;
  }
  byId('join').hidden = false;
  if (!(await canTalk())) {
    document.documentElement.dataset.state = 'failed';
    tellError('this browser cannot: take a newer Chrome, Edge, Firefox or Safari');
    return;
  }
  listen();
  setText(byId('where'), '');
  choice('mode').value = settings.mode ?? 'voice';
  field('cues').checked = settings.cues ?? true;
  const atOnce = fillForm();
  document.documentElement.dataset.state = 'ready';
  if (atOnce) join();
}

begin();
