/**
 * Invitations: `voicechat://HOST:PORT/ROOM#PASSWORD`, with fields behind it (`&name=Ann&join`).
 *
 * A page is given one in its fragment, which no browser sends anywhere. There the link's # may
 * stand as %23 (and then a % of the link as %25), since chat programs take a second # for an end.
 * Pure; may import nothing.
 */

/** What is wrong with a link, in words for a person; shows nothing of it. */
export class LinkError extends Error {}

/**
 * @typedef {object} Invite
 * @property {string} host IPv6 in its brackets
 * @property {number} port
 * @property {string} room
 * @property {string | null} password null where the link has none
 * @property {Map<string, string>} fields what follows, decoded; '' for one without =
 */

const LONGEST = 2048;
export const PORT = 1234;

/** What stands around a link where people pass it on. */
const PAIRS = ['<>', '""', "''", '``', '()', '\u201c\u201d', '\u201e\u201c', '\u00ab\u00bb'];

/** @param {string} text */
function bareLink(text) {
  let bare = text.trim();
  while (bare.length > 1 && PAIRS.includes(bare[0] + bare[bare.length - 1])) bare = bare.slice(1, -1).trim();
  return bare;
}

/**
 * @param {string} text
 * @param {string} what
 */
function decoded(text, what) {
  if (/%(?![0-9a-f]{2})/i.test(text)) {
    throw new LinkError(`in the ${what} of the link a % stands alone; a % itself is written %25`);
  }
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LinkError(`the ${what} of the link is not UTF-8 text`);
  }
}

/**
 * Host and port of `host`, `host:port`, `[address]` or `[address]:port`.
 * @param {string} text
 */
export function parseServer(text) {
  const found = /^(\[[0-9a-f:.]+\]|[^\s/\\#?@[\]:<>"]+)(?::(\d*))?$/i.exec(text);
  if (!found) throw new LinkError('the link names no server: behind voicechat:// stands its name or address');
  const port = found[2] ? Number(found[2]) : PORT;
  if (port < 1 || port > 65535) throw new LinkError("the link's port is not a number from 1 to 65535");
  return { host: decoded(found[1], 'host'), port };
}

/**
 * What a link invites to. LinkError if it is none.
 * @param {string} link
 * @returns {Invite}
 */
export function parseInvite(link) {
  const bare = bareLink(link);
  if (bare.length > LONGEST) throw new LinkError(`a link has at most ${LONGEST} characters`);
  if (/[\r\n\t]/.test(bare)) throw new LinkError('a line of the link was broken in two; copy it in one piece');
  const found = /^voicechat:\/\/([^/#&?]*)(?:\/([^#&]*))?(?:#([^&]*))?((?:&[^&]*)*)$/i.exec(bare);
  if (!found) throw new LinkError('a link begins with voicechat://');
  const [, server, room = '', secret, rest] = found;
  if (room.includes('/') || room.includes('?')) throw new LinkError('a link has one / before the room, and no ?');
  if (secret === '') throw new LinkError('the link ends with its #: the password behind it is missing');
  const fields = new Map();
  for (const field of rest.split('&').slice(1)) {
    const [name, ...value] = field.split('=');
    fields.set(name, decoded(value.join('='), 'end'));
  }
  const password = secret === undefined ? null : decoded(secret, 'password');
  return { ...parseServer(server), room: decoded(room, 'room'), password, fields };
}

/**
 * The invitation in a page's fragment, with its # or without; null if there is none.
 * @param {string} fragment
 */
export function fromFragment(fragment) {
  const text = fragment.replace(/^#/, '');
  if (!text) return null;
  // A fragment that was written for a page has its % as %25; one that was pasted as it is has not.
  const link = text.includes('#') ? text : text.replace(/%(23|25)/g, (_, code) => (code === '23' ? '#' : '%'));
  return parseInvite(link);
}
