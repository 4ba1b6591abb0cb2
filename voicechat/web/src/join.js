/**
 * The form by which one joins: what stands in the page's address goes into it, what it says is checked.
 *
 * Works in the page. May import `elements`, `invite`, `settings` and `texts`.
 */
import { byId, field } from './elements.js';
import { LinkError, PORT, fromFragment, parseInvite, parseServer } from './invite.js';
import { remember, settings } from './settings.js';
import { TextError, askedName, askedRoom } from './texts.js';
/** @import { Invite } from './invite.js' */

/** The server that was written into this file, with wss:// before it if it speaks TLS; '' for none. */
const WRITTEN = document.querySelector('meta[name="voicechat-server"]')?.getAttribute('content') ?? '';

/** @type {string | null} The password of the invitation in the address, which no field shows. */
let invited = null;

/** @param {string} why */
export function tellError(why) {
  byId('join-error').textContent = why;
}

/** Whether this browser has what a call needs: a trial says more than a name. */
export async function canTalk() {
  if (!('AudioEncoder' in window && 'AudioDecoder' in window && 'AudioWorkletNode' in window)) return false;
  const config = { codec: 'opus', sampleRate: 48000, numberOfChannels: 1 };
  const [out, back] = await Promise.all([
    AudioEncoder.isConfigSupported({ ...config, bitrate: 12000 }),
    AudioDecoder.isConfigSupported(config),
  ]).catch(() => [{ supported: false }, { supported: false }]);
  return Boolean(out.supported && back.supported);
}

/** Where a page that a server sent to a browser in a secure way came from. */
function served() {
  return location.protocol.startsWith('http') ? location.host : '';
}

/** Fill it from the address, from what is remembered, and from where the page came from. True: join at once. */
export function fillForm() {
  field('server').value = settings.server ?? (WRITTEN.replace('wss://', '') || served());
  field('name').value = settings.name ?? '';
  field('room').value = settings.room ?? '';
  field('password').value = settings.password ?? '';
  field('keep').checked = settings.password !== undefined;
  field('server').addEventListener('input', invitation);
  let invite = null;
  try {
    invite = fromFragment(location.hash);
  } catch (error) {
    tellError(/** @type {Error} */ (error).message);
  }
  if (!invite) {
    invitation();
    return false;
  }
  invited = invite.password;
  history.replaceState(null, '', location.pathname);
  field('server').value = `${invite.host}:${invite.port}`;
  field('room').value = invite.room;
  if (invited !== null) field('password').value = invited;
  const name = invite.fields.get('name');
  if (name) field('name').value = name;
  return invite.fields.has('join') && field('name').value !== '' && field('password').value !== '';
}

/** An invitation that is pasted has its room, and perhaps its password: neither is asked for then. */
function invitation() {
  let pasted = null;
  try {
    pasted = parseInvite(field('server').value);
  } catch {
    // It is an address, or not complete.
  }
  byId('password-row').hidden = pasted?.password != null;
  if (pasted?.room) field('room').value = pasted.room;
}

/** @returns {Invite} what the first field says */
function entered() {
  const text = field('server').value.trim();
  if (/^voicechat:/i.test(text)) return parseInvite(text);
  if (/^(https?|wss?):\/\//i.test(text)) {
    const url = new URL(text);
    return { host: url.hostname, port: Number(url.port) || PORT, room: '', password: null, fields: new Map() };
  }
  return { ...parseServer(text), room: '', password: null, fields: new Map() };
}

/** Whether the server speaks TLS: it sent this page by https, or the file was saved from one that did. @param {string} server */
function secure(server) {
  return location.protocol === 'https:' || WRITTEN === `wss://${server}`;
}

/** Where to go and who comes; null if something is wrong, which the form says then. */
export function readForm() {
  try {
    const invite = entered();
    const server = `${invite.host}:${invite.port}`;
    const password = (invite.password ?? field('password').value).normalize('NFC');
    if (!password) throw new LinkError('no password: it stands in your invitation, or your host tells it');
    const name = askedName(field('name').value);
    const room = askedRoom(field('room').value);
    const keep = field('keep').checked ? password : undefined;
    remember({ name, room, server, password: keep });
    const url = `${secure(server) ? 'wss' : 'ws'}://${server}/`;
    return { url, host: invite.host, where: `${invite.host} port ${invite.port}`, password, name, room };
  } catch (error) {
    if (!(error instanceof LinkError || error instanceof TextError || error instanceof TypeError)) throw error;
    tellError(error.message);
    return null;
  }
}
