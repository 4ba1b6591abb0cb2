/**
 * What is to be done for one frame that is wanted: which payloads are decoded, and what becomes of their sound.
 *
 * Sound is made up by a payload of one byte, the TOC of the last frame: libopus takes it for a lost packet
 * (RFC 6716, 4.4), and no call of WebCodecs asks for that.
 * Pure. May import nothing.
 */

/** Missing ticks that are concealed at full level, and those after which a spurt is over. */
export const FADES_AFTER = 2;
export const ENDS_AFTER = 5;

/**
 * What a pull decided. `payloads` are to be decoded in this order; the sound of the last one is heard,
 * with that of the one before merged into it (`merge`), at `from` and falling to `to`.
 * @typedef {object} Recipe
 * @property {Uint8Array[]} payloads
 * @property {boolean} merge
 * @property {boolean} concealed
 * @property {number} from gain at its beginning
 * @property {number} to gain at its end
 */

/**
 * Made-up sound, behind what is to be decoded before.
 * @param {Uint8Array[]} payloads
 * @param {number} toc first byte of the last frame
 * @param {number} missing ticks that were made up in a row, this one with them; 0 where none is missing
 * @returns {Recipe}
 */
export function madeUp(payloads, toc, missing) {
  const gone = Math.max(0, missing - FADES_AFTER);
  const steps = ENDS_AFTER - FADES_AFTER - 1;
  const from = gone ? 1 - (gone - 1) / steps : 1;
  const to = gone ? 1 - gone / steps : 1;
  return { payloads: [...payloads, Uint8Array.of(toc & 0xfc)], merge: false, concealed: true, from, to };
}
