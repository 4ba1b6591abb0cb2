"""The page: voicechat in a browser, one HTML file that a friend saves and opens.

What lives here: `src`, the modules of plain JavaScript that the page is joined from.

May import the standard library. The page is a client like any other, and knows the server by
docs/wire-protocol.md alone, whose examples its tests read.
"""
