/**
 * The call as it is shown: how one is, who is here, what is said, and what is wrong.
 *
 * Draws plain values that the Worker sends; decides nothing. `document.documentElement.dataset` says the
 * same to a test: state, path, heard.
 * Works in the page. May import `audio`'s type, `elements` and `people`.
 */
import { byId, choice, make, setText } from './elements.js';
import { People } from './people.js';
/** @import { Audio } from './audio.js' */
/** @import { Friend } from './people.js' */

/** Lines that are kept on the page. */
const MOST_LINES = 200;
/** Lines to friends in as many seconds: what the server passes on. */
const LINES_AT_ONCE = 5;
/** Milliseconds of round trip, and share of frames made up, from which a line is fair, and bad. */
const FAIR = { roundTrip: 150, lost: 0.03 };
const BAD = { roundTrip: 300, lost: 0.1 };

/**
 * @typedef {object} View what the Worker sends
 * @property {string} state
 * @property {string} why
 * @property {number} tries
 * @property {number | null} nextIn milliseconds until the next try
 * @property {string} name
 * @property {string} room
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {boolean} talking
 * @property {number} heard
 * @property {string} path 'udp' or 'tcp': the way that our sound takes
 * @property {number | null} roundTrip
 * @property {Record<string, number>} counts
 * @property {{bytesIn: number, bytesOut: number} | null} bytes of the present connection
 * @property {Friend[]} people
 */

/** The call on the page. */
export class CallView {
  /** @param {(name: string, db: number) => void} volume */
  constructor(volume) {
    this.people = new People(volume);
    /** @type {number[]} */
    this.sentAt = [];
    this.server = '';
    this.before = { played: 0, concealed: 0 };
    this.lost = 0;
    this.judgedAt = 0;
  }

  /** @param {string} server */
  begin(server) {
    this.server = server;
    this.before = { played: 0, concealed: 0 };
    byId('join').hidden = true;
    byId('call').hidden = false;
    byId('chat').replaceChildren();
    this.say(`connecting to ${server} ...`, 'event');
    byId('mute').focus();
  }

  end() {
    byId('call').hidden = byId('alarm').hidden = true;
    for (const id of ['where', 'quality', 'delay']) setText(byId(id), '');
  }

  /** @param {View} view */
  draw(view) {
    const { dataset } = document.documentElement;
    const known = view.state === 'in';
    dataset.state = view.state;
    dataset.path = known ? view.path : 'none';
    dataset.heard = String(view.heard);
    setText(byId('where'), view.room ? `${this.server} · ${view.room}` : this.server);
    setText(byId('me-name'), view.name || 'You');
    this.drawMe(view, known);
    this.drawAlarm(view, known);
    this.people.draw(view.people, known);
    this.drawLine(view, known);
  }

  /**
   * @param {View} view
   * @param {boolean} known
   */
  drawMe({ muted, deafened, talking }, known) {
    const state = byId('me-state');
    const words = deafened ? 'deafened: you hear nobody, and nobody hears you' : muted ? 'muted: nobody hears you' : '';
    setText(state, known ? words || (talking ? 'you talk' : 'quiet') : 'nobody hears you');
    state.className = words || !known ? 'bad' : talking ? 'talks' : '';
    byId('mute').setAttribute('aria-pressed', String(muted));
    byId('deafen').setAttribute('aria-pressed', String(deafened));
  }

  /**
   * @param {View} view
   * @param {boolean} known
   */
  drawAlarm({ why, tries, nextIn, state }, known) {
    byId('alarm').hidden = known || state === 'ended';
    if (known) return;
    const lost = `NOT CONNECTED: ${why || 'the line broke'}. Nobody hears you.`;
    const next = nextIn === null ? 'trying now' : `trying again in ${Math.ceil(nextIn / 1000)} s`;
    // The first is read out, once; nobody wants to hear the seconds counted.
    setText(byId('alarm-text'), state === 'connecting' ? 'connecting ...' : lost);
    setText(byId('countdown'), state === 'connecting' ? '' : `${next} (try ${tries})`);
    byId('retry').hidden = nextIn === null;
  }

  /**
   * @param {View} view
   * @param {boolean} known
   */
  drawLine({ roundTrip, counts, bytes, path }, known) {
    const now = performance.now();
    if (now - this.judgedAt > 5000) {
      const played = counts.played - this.before.played;
      const concealed = counts.concealed - this.before.concealed;
      this.lost = played > 50 ? concealed / (played + concealed) : 0;
      [this.before, this.judgedAt] = [{ played: counts.played, concealed: counts.concealed }, now];
    }
    const delay = roundTrip === null || !known ? '' : `${path.toUpperCase()} · ${Math.round(roundTrip)} ms`;
    setText(byId('delay'), delay);
    const worse = (/** @type {typeof FAIR} */ bound) => (roundTrip ?? 0) >= bound.roundTrip || this.lost >= bound.lost;
    const quality = delay && (worse(BAD) ? 'bad' : worse(FAIR) ? 'fair' : 'good');
    setText(byId('quality'), quality);
    byId('quality').className = quality;
    const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    if (/** @type {HTMLDetailsElement} */ (byId('settings')).open) {
      const carried = bytes ? `. Bytes: ${bytes.bytesIn} in, ${bytes.bytesOut} out` : '';
      setText(byId('figures'), `Frames: ${told.join(', ')}${carried}`);
    }
  }

  /**
   * One's own level.
   * @param {number} level mean square
   * @param {number} opensAt
   */
  drawLevel(level, opensAt) {
    const db = Math.max(-60, Math.min(0, 10 * Math.log10(level + 1e-9)));
    byId('meter').setAttribute('aria-valuenow', String(Math.round(db)));
    byId('level').style.transform = `scaleX(${(db + 60) / 60})`;
    byId('opens').style.left = `${(100 * (10 * Math.log10(opensAt) + 60)) / 60}%`;
  }

  /**
   * A line of the news, or of a friend.
   * @param {string} line
   * @param {'event' | 'chat' | 'trouble'} kind
   * @param {string} [from]
   */
  say(line, kind, from) {
    const chat = byId('chat');
    const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 40;
    const row = make('p', kind);
    const now = new Date();
    const time = make('time', '', now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));
    row.append(time, ' ');
    if (from) row.append(isolated('b', from), ': ');
    row.append(isolated('span', line));
    chat.append(row);
    while (chat.children.length > MOST_LINES) chat.firstElementChild?.remove();
    if (atEnd) chat.scrollTop = chat.scrollHeight;
  }

  /**
   * Whether one more line may be sent now; the server drops more unsaid.
   * @param {number} now milliseconds
   */
  maySend(now) {
    this.sentAt = this.sentAt.filter((at) => now - at < LINES_AT_ONCE * 1000);
    if (this.sentAt.length >= LINES_AT_ONCE) return false;
    this.sentAt.push(now);
    return true;
  }

  /** @param {Audio} audio */
  async drawDevices(audio) {
    list(choice('microphone'), await audio.devices('audioinput'), audio.wanted);
    byId('loudspeaker-row').hidden = !audio.choosesLoudspeaker;
    list(choice('loudspeaker'), await audio.devices('audiooutput'), choice('loudspeaker').value);
  }
}

/**
 * @param {HTMLSelectElement} select
 * @param {MediaDeviceInfo[]} devices
 * @param {string} chosen
 */
function list(select, devices, chosen) {
  const usual = new Option('The usual one', '');
  select.replaceChildren(usual, ...devices.map(({ label, deviceId }) => new Option(label || 'Without a name', deviceId)));
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = '';
}

/**
 * Text of others: whichever way its script runs, it leaves the rest of the line where it is.
 * @param {'b' | 'span'} tag
 * @param {string} text
 */
function isolated(tag, text) {
  const element = make(tag, '', text);
  element.dir = 'auto';
  element.style.unicodeBidi = 'isolate';
  return element;
}
