/**
 * The talk key: space, or the button that one holds. Let go when the page loses the keyboard.
 *
 * Works in the page. May import `elements`.
 */
import { byId } from './elements.js';

/** Milliseconds after which a key is taken to be stuck. */
const STUCK = 120000;
/** Where a space is a letter, or does what it always does. */
const TYPING = 'input:not([type=checkbox], [type=range]), textarea, select, summary';

/** Tells when it is held. */
export class Keys {
  /** @param {(held: boolean) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.held = false;
    this.now = 'voice';
    this.timer = 0;
    const button = byId('talk');
    addEventListener('keydown', (event) => this.key(event, true));
    addEventListener('keyup', (event) => this.key(event, false));
    addEventListener('blur', () => this.letGo());
    button.addEventListener('pointerdown', () => this.hold(true));
    for (const end of ['pointerup', 'pointercancel', 'pointerleave']) button.addEventListener(end, () => this.letGo());
  }

  /** @param {string} mode what opens the microphone */
  set mode(mode) {
    this.letGo();
    this.now = mode;
    byId('talk').hidden = mode === 'voice';
    byId('talk').textContent = mode === 'push' ? 'Hold to talk' : 'Hold to be silent';
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  key(event, down) {
    if (event.code !== 'Space' || this.now === 'voice' || byId('call').hidden) return;
    if (down && /** @type {Element} */ (event.target).matches?.(TYPING)) return;
    if (down || this.held) event.preventDefault();
    if (!event.repeat) this.hold(down);
  }

  letGo() {
    this.hold(false);
  }

  /** @param {boolean} held */
  hold(held) {
    if (held === this.held || (held && this.now === 'voice')) return;
    this.held = held;
    clearTimeout(this.timer);
    if (held) this.timer = setTimeout(() => this.letGo(), STUCK);
    this.changed(held);
  }
}
