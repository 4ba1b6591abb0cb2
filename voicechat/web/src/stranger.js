/**
 * A page that came over plain http: it can have no microphone, and offers itself to be saved.
 *
 * The server writes nothing of a request into what it sends; the page writes in, itself, where it came
 * from. A secret in its address stays out of the file.
 * Works in the page. May import `elements`.
 */
import { byId } from './elements.js';

const SERVER_PLACE = 'name="voicechat-server" content=""';

/**
 * The page as a file that knows its server.
 * @param {string} page as it was sent
 * @param {string} server host and port, behind wss:// for one with TLS
 */
export function pageFor(page, server) {
  return page.replace(SERVER_PLACE, SERVER_PLACE.replace('""', `"${server.replace(/[^\w.:[\]/-]/g, '')}"`));
}

/** Offer it. */
export async function offerItself() {
  byId('stranger').hidden = false;
  const page = await (await fetch(location.pathname)).text();
  const save = /** @type {HTMLAnchorElement} */ (byId('save'));
  save.href = URL.createObjectURL(new Blob([pageFor(page, location.host)], { type: 'text/html' }));
}
