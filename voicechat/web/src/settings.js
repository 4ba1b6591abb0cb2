/**
 * What this browser remembers: name, talk mode, devices, friends' volumes. The password only if that is asked.
 *
 * A browser that keeps nothing (private windows) costs the memory, and nothing else.
 * Works in the page. May import nothing.
 */

const PLACE = 'voicechat';
/** Friends whose volume is kept; the one set longest ago is forgotten first. */
const MOST_NAMES = 200;

/**
 * @typedef {object} Settings
 * @property {string} [name]
 * @property {string} [server] as it was typed, without a password
 * @property {string} [room]
 * @property {string} [password]
 * @property {string} [mode]
 * @property {string} [microphone]
 * @property {string} [loudspeaker]
 * @property {boolean} [cues]
 * @property {[string, number][]} [volumes] dB by name
 */

/** @returns {Settings} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? '{}');
    if (!Array.isArray(kept.volumes)) kept.volumes = [];
    return kept;
  } catch {
    return { volumes: [] };
  }
}

export const settings = read();

/**
 * Remember something; undefined forgets it.
 * @param {Partial<Settings>} changed
 */
export function remember(changed) {
  Object.assign(settings, changed);
  try {
    localStorage.setItem(PLACE, JSON.stringify(settings));
  } catch {
    // It is not kept, and works all the same.
  }
}

/**
 * @param {string} name
 * @param {number} db
 */
export function rememberVolume(name, db) {
  const others = (settings.volumes ?? []).filter(([other]) => other !== name);
  remember({ volumes: [...others, /** @type {[string, number]} */ ([name, db])].slice(-MOST_NAMES) });
}
