"""A call that shows itself: real server, real clients, recorded voices, and a verdict on what was heard.

What lives here: ``script`` (who says what when), ``correlation`` and ``compare``
(said against heard, pure), ``picture`` (one PNG), ``__main__`` (the demo), ``serve``
(a server for friends), ``screenshot`` and ``browsershot`` (the documentation's pictures, of real calls) and
``painting`` (what a terminal shows, as one PNG). Of the package itself only ``voicechat.format`` is imported: server
and clients are reached as a user reaches them, by their commands (``testkit.processes``).
"""
