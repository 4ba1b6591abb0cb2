/**
 * The page's first words: the three programs are unpacked, and the page's own is begun.
 *
 * They stand in the page as one piece, deflated (RFC 1950) and in base64, since 60 kB is what a page may
 * have. The page's policy names this script and the page's own by their hashes, and so nothing else runs.
 * May import nothing.
 */

/** Whoever has no DecompressionStream has no WebCodecs for sound either. */
async function unpack() {
  const packed = document.getElementById('programs')?.textContent ?? '';
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const [page, worker, worklet] = (await new Response(stream).text()).split('\n---\n');
  for (const [id, text] of Object.entries({ worker, worklet, page })) {
    const script = document.createElement('script');
    script.id = id;
    script.type = id === 'page' ? 'module' : 'text/plain';
    script.textContent = text;
    document.body.append(script);
  }
}

unpack().catch(() => document.getElementById('old')?.removeAttribute('hidden'));
