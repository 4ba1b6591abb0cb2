/**
 * The list of friends: who is here, who talks, how late they are heard, and how loud for me.
 *
 * Elements stay from one drawing to the next, so that focus and a slider under a finger do.
 * Works in the page. May import `elements`.
 */
import { byId, make, setText } from './elements.js';

/** dB: a friend's softest and loudest, and what stands for not at all. */
const SOFTEST = -30;
const LOUDEST = 12;
export const MUTED_DB = -99;

/**
 * @typedef {object} Friend
 * @property {number} source
 * @property {string} name
 * @property {boolean} talking
 * @property {boolean} away
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {string} quality
 * @property {number | null} delayMs
 * @property {number} volume dB
 */

/** @typedef {{item: HTMLLIElement, name: HTMLElement, what: HTMLElement, mute: HTMLButtonElement, slider: HTMLInputElement, tell: HTMLElement, db: number}} Row */

/** Friends as rows; `changed` takes a name and the dB that somebody chose. */
export class People {
  /** @param {(name: string, db: number) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.list = byId('people');
    /** @type {Map<number, Row>} */
    this.rows = new Map();
  }

  /**
   * @param {Friend[]} people
   * @param {boolean} known the connection stands
   */
  draw(people, known) {
    const here = new Set(people.map(({ source }) => source));
    for (const [source, { item }] of this.rows) {
      if (here.has(source)) continue;
      item.remove();
      this.rows.delete(source);
    }
    for (const friend of people) this.drawRow(this.row(friend), friend, known);
    byId('alone').hidden = people.length > 0;
  }

  /** @param {Friend} friend */
  row({ source }) {
    let row = this.rows.get(source);
    if (row) return row;
    const item = make('li');
    const [name, what, mute, label] = [make('span', 'name'), make('span', 'what'), make('button'), make('label')];
    const [tell, slider] = [make('span', 'unseen'), make('input')];
    slider.type = 'range';
    slider.min = String(SOFTEST);
    slider.max = String(LOUDEST);
    slider.step = '3';
    mute.type = 'button';
    label.append(tell, slider);
    item.append(name, what, mute, label);
    this.list.append(item);
    row = { item, name, what, mute, slider, tell, db: 0 };
    const made = row;
    slider.oninput = () => this.changed(made.name.textContent ?? '', Number(slider.value));
    mute.onclick = () => {
      const muted = mute.getAttribute('aria-pressed') === 'true';
      this.changed(made.name.textContent ?? '', muted ? Number(slider.value) : MUTED_DB);
    };
    this.rows.set(source, row);
    return row;
  }

  /**
   * @param {Row} row
   * @param {Friend} friend
   * @param {boolean} known
   */
  drawRow(row, friend, known) {
    const silent = friend.volume < SOFTEST;
    row.item.className = friend.talking && known ? 'talks' : '';
    setText(row.name, friend.name);
    setText(row.what, known ? words(friend, silent) : 'unknown');
    setText(row.mute, 'Mute for me');
    row.mute.setAttribute('aria-pressed', String(silent));
    row.mute.setAttribute('aria-label', `Mute for me: ${friend.name}`);
    setText(row.tell, `Volume of ${friend.name}`);
    if (!silent && document.activeElement !== row.slider) row.slider.value = String(friend.volume);
    row.slider.setAttribute('aria-valuetext', `${friend.volume > 0 ? '+' : ''}${row.slider.value} dB`);
    row.slider.disabled = silent;
  }
}

/**
 * What a friend does, in words.
 * @param {Friend} friend
 * @param {boolean} silent muted by me
 */
function words(friend, silent) {
  const does = friend.away ? 'away' : friend.deafened ? 'deafened' : friend.muted ? 'muted' : friend.talking ? 'talks' : 'quiet';
  const said = [does];
  if (silent) said.push('muted by you');
  else if (friend.volume) said.push(`${friend.volume > 0 ? '+' : ''}${friend.volume} dB`);
  if (friend.quality !== 'normal') said.push(friend.quality);
  if (friend.delayMs !== null) said.push(`~${friend.delayMs} ms`);
  return said.join(' · ');
}
