"""The page: voicechat in a browser, one HTML file that a friend saves and opens.

What lives here: ``page.html``, which the server sends; ``src``, the modules of plain JavaScript that
it is joined from; ``build``, which joins them.

May import the standard library. The server reads the page and knows nothing of what is in it; the
page is a client like any other, and knows the server by docs/wire-protocol.md alone, whose
examples its tests read.
"""
