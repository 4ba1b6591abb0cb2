"""``voicechat-ctl`` as shells and the reference have it: data, that the program itself needs for neither."""

from typing import Final

from voicechat.client.remote.words import WORDS
from voicechat.options.option import COMPLETION, Command, Option, Program

CTL: Final = Program(
    "voicechat-ctl",
    (
        Option("socket", "which client, if several run", metavar="PATH", kept=False),
        Option("json", "stats: everything, as JSON", bool, kept=False),
        COMPLETION,
    ),
    {word: Command(told, values=values) for word, (values, told) in WORDS.items()},
    {
        0: "done",
        1: "the client cannot do that: nobody has this name, not connected",
        2: "there is no such word or option, or something is missing behind it",
        69: "no client of yours runs",
        74: "what it has to say cannot be written: no room on the disk",
        75: "the client does not answer",
        76: "what answers is no voicechat-client, or of another version",
        77: "the socket or its folder is somebody else's, or open to others",
        78: "several clients run, and none was named",
    },
)
