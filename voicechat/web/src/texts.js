/**
 * Names, rooms and lines: what may be in them (docs/wire-protocol.md, 6, "Texts" and "Names").
 *
 * The server has the last word, and names the sign that it refuses; here is what a form can tell at once.
 * May import `bytes`.
 */
import { WireError, utf8 } from './bytes.js';

const MOST_LETTERS = 32;
const MOST_BYTES = 128;
const MOST_TEXT = 500;

/** Joiners and tags, which the server has looked at, and then what nobody is to see. */
const UNSEEN = /(?![\u200c\u200d\u{e0020}-\u{e007f}])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/**
 * A text that others wrote. WireError if something in it could not be seen.
 * @param {string} text
 */
export function shownText(text) {
  if (UNSEEN.test(text)) throw new WireError('a text with signs that nobody sees');
  return text;
}

/** What is wrong with what somebody typed, in words for them. */
export class TextError extends Error {}

/** @param {string} text */
function letters(text) {
  return 'Segmenter' in Intl ? [...new Intl.Segmenter().segment(text)].length : [...text].length;
}

/**
 * A name or a room's name, tidied: NFC, one blank where there were several.
 * @param {string} text
 */
function tidied(text) {
  const tidy = text.normalize('NFC').replace(/\p{Z}+/gu, ' ').trim();
  const wrong = UNSEEN.exec(tidy);
  if (wrong) {
    const code = wrong[0].codePointAt(0) ?? 0;
    throw new TextError(`a name may not have U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
  }
  return tidy;
}

/**
 * A name to ask for. TextError in the words of docs/client.md.
 * @param {string} text
 */
export function askedName(text) {
  const name = tidied(text);
  if (!name || letters(name) > MOST_LETTERS || utf8(name).length > MOST_BYTES) {
    throw new TextError('a name has 1 to 32 letters, in at most 128 bytes');
  }
  if (!/[\p{L}\p{N}]/u.test(name)) throw new TextError('a name has a letter or a digit');
  if (/\(\d+\)$/.test(name.normalize('NFKC'))) {
    throw new TextError('a name does not end with a number in brackets: the server adds those');
  }
  return name;
}

/**
 * A room's name, perhaps none.
 * @param {string} text
 */
export function askedRoom(text) {
  const room = tidied(text);
  if (letters(room) > 2 * MOST_LETTERS || utf8(room).length > MOST_BYTES) {
    throw new TextError("a room's name has at most 64 letters, in at most 128 bytes");
  }
  return room;
}

/**
 * A line to send; empty if there is nothing to send.
 * @param {string} text
 */
export function askedLine(text) {
  const line = text.normalize('NFC').replace(new RegExp(UNSEEN, 'gu'), ' ').trim();
  return [...line].slice(0, MOST_TEXT).join('');
}

/**
 * A name as it stands in a sentence: in quotes if it has more than one word.
 * @param {string} name
 */
export function named(name) {
  return name.includes(' ') ? `'${name}'` : name;
}
