"""What can be said to a running client: data, for the program that says it and for the client that does it.

Imports nothing: a key is waited for.
"""

WORDS = {
    "mute": ("", "nobody hears you"),
    "unmute": ("", "you are heard again"),
    "mute-toggle": ("", "the one or the other"),
    "deafen": ("", "you hear nobody, and nobody hears you"),
    "undeafen": ("", "you hear them again"),
    "deafen-toggle": ("", "the one or the other"),
    "suppress": ("MODE", "noise suppression: off, light or strong"),
    "ptt-down": ("", "press the talk key"),
    "ptt-up": ("", "let it go"),
    "ptt-toggle": ("", "press it until the next time"),
    "volume": ("NAME DB", "a friend louder or softer for you, -30 to 12; off: not at all"),
    "say": ("TEXT", "a line to the others in the room"),
    "stats": ("", "how the call is; with --json all figures"),
    "devices": ("", "the sound devices in use, and those that there are"),
    "retry": ("", "try now to connect again, when the line has broken"),
    "quit": ("", "end the client"),
}
"""Each word, with what follows and what it does."""

LONGEST_LINE = 8192
"""Bytes of a request: a text line of 500 characters, each written as an escaped pair of twelve, and what is around."""
