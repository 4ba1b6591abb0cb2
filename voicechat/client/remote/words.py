"""What can be said to a running client: data, for the program that says it and for the client that does it.

The same words are typed with a slash before them in line mode. Imports nothing: a key is waited for.
"""

WORDS = {
    "mute": ("", "nobody hears you"),
    "unmute": ("", "you are heard again"),
    "mute-toggle": ("", "mute, or unmute"),
    "deafen": ("", "you hear nobody, and nobody hears you"),
    "undeafen": ("", "you hear them again"),
    "deafen-toggle": ("", "deafen, or undeafen"),
    "suppress": ("MODE", "noise suppression: off, light or strong"),
    "ptt-down": ("", "press the talk key"),
    "ptt-up": ("", "let it go"),
    "ptt-toggle": ("", "press it until the next time"),
    "volume": ("NAME DB", "a friend louder or softer for you, -30 to 12; off: not at all"),
    "say": ("TEXT", "a line to the others in the room"),
    "who": ("", "who is here, and who talks"),
    "stats": ("", "how the call is; with --json all figures"),
    "devices": ("", "the sound devices in use, and those that there are"),
    "retry": ("", "try now to connect again, when the connection is lost"),
    "quit": ("", "end the client"),
}
"""Each word, with what follows and what it does."""

SHORT = {"vol": "volume"}
"""Words that are typed often, and what they are short for."""

LONGEST_LINE = 8192
"""Bytes of a request: a text line of 500 characters, each written as an escaped pair of twelve, and what is around."""


def understood(word: str, parts: list[str]) -> tuple[str, list[str]]:
    """A word as `WORDS` has it, and what follows it, of the parts of a command line. ValueError says what is wrong.

    The last thing that follows a word is one part; what stands before it, a name of several words, need not be quoted.
    """
    word = SHORT.get(word, word)
    if word not in WORDS:
        raise ValueError(f"unknown command {word!r}{_near(word)}")
    wanted = WORDS[word][0]
    several = len(wanted.split())
    if several == 1 and parts:
        parts = [" ".join(parts)]
    elif several and len(parts) > several:
        name = " ".join(parts[: 1 - several])
        name = name[1:-1] if len(name) > 1 and name[0] == name[-1] in "'\"" else name  # as names stand in lines
        parts = [name, *parts[1 - several :]]
    if len(parts) != several:
        raise ValueError(f"{word} needs {wanted or 'nothing'} behind it")
    return word, parts


def _near(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word, WORDS, n=1)
    return f"; did you mean {near[0]}?" if near else ""
