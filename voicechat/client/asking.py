"""What the client asks for on a terminal before it has a call: the link of an invitation, and whether to keep it.

Questions go to standard error, and answers come from standard input, as they are typed. May import what the command
line may: nothing heavy.
"""

import sys
from typing import Any, Final

from voicechat import standard
from voicechat.errors import ConfigError

TRIES: Final = 3
"""So often a person may mistype a link or a password, as with ssh (NumberOfPasswordPrompts in ssh_config(5))."""

LINK: Final = "Paste the link that your host sent you, or type the server's name:\n"
AGAIN: Final = "the password was refused; type it again, it is not shown ({number} of {most}):"
KEEP: Final = "Keep this, so that voicechat-client alone joins from now on? [y/N] "


def possible() -> bool:
    """Somebody is there to be asked."""
    return standard.is_terminal("stdin") and standard.is_terminal("stderr")


def invited(text: str) -> dict[str, Any]:
    """What a link chooses, by the options' fields; or a server's name or address, with its port perhaps.

    ConfigError if it is neither.
    """
    from voicechat import invite

    if "://" in text:
        it = invite.parse(text)
        secret = {} if it.password is None else {"password": it.password.reveal()}
        return {"host": it.host, "port": it.port, "room": it.room} | secret
    if not set(".:") & set(text) and text != "localhost":  # a password that lost its option is looked up nowhere
        raise ConfigError("a link begins with voicechat://; a server whose name is one word is given with --host")
    address = text.count(":") > 1 and not text.startswith("[")  # of IPv6, without the brackets that a link has
    try:
        it = invite.parse(f"{invite.SCHEME}://[{text}]" if address else f"{invite.SCHEME}://{text}")
    except ConfigError:
        it = invite.Invite("", room="?")
    if it.room or it.password is not None or not it.host:
        raise ConfigError("neither a link (voicechat://...) nor a server (play.example.org, or play.example.org:1234)")
    named = not address and ":" in text.rpartition("]")[2]
    return {"host": it.host} | ({"port": it.port} if named else {})


def for_link() -> dict[str, Any]:
    """What a typed link chooses, as `invited` has it. ConfigError after TRIES wrong ones, or if none is typed."""
    for number in range(1, TRIES + 1):
        text = _answer(LINK)
        try:
            if text:
                return invited(text)
        except ConfigError as error:
            if number == TRIES:
                raise
            standard.warn(f"{error}\n")
    raise ConfigError("no link was given")


def whether_to_keep() -> bool:
    """Whether what was asked for is to be kept in the configuration file."""
    return _answer(KEEP).lower() in ("y", "yes")


def _answer(question: str) -> str:
    """A line. ConfigError at the end of the input."""
    standard.warn(question)
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        raise ConfigError("what was typed is no text") from None
    if not line:
        raise ConfigError("nothing was typed")
    return line.strip()
