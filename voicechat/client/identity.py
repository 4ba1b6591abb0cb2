"""Who the user is to friends, and where: as chosen, else by the login name, as far as that can be a name.

The login name was not chosen for this. It may be an address with a domain, too long, of signs
that no name here has; a user may have no account at all. None of that keeps anybody from a call.
"""

import argparse
from collections.abc import Callable
from typing import Final

from voicechat.errors import ConfigError, WireError
from voicechat.wire import text

LONGEST_LOGIN: Final = 256
"""Signs of a login name that are looked at: the longest that Linux has (LOGIN_NAME_MAX)."""

NOBODY: Final = "friend"
"""Who has no login name that could be a name."""


def name_of(chosen: argparse.Namespace) -> str:
    """What friends call the user. ConfigError about a name that was chosen says where it was."""
    return _accepted(chosen, "name", text.chosen_name) if chosen.name else user_name()


def room_of(chosen: argparse.Namespace) -> str:
    """The room to enter. ConfigError likewise."""
    return _accepted(chosen, "room", text.room)


def _accepted(chosen: argparse.Namespace, field: str, rule: Callable[[str], str]) -> str:
    try:
        return rule(getattr(chosen, field))
    except WireError as error:
        raise ConfigError(f"{chosen.origin.get(field, field)}: {error}") from None


def user_name() -> str:
    """The login name as a name: without its domain, shortened, without signs that no name has, if it must be."""
    import getpass

    try:
        login = getpass.getuser()[:LONGEST_LOGIN]
    except (OSError, KeyError, ImportError):  # no account
        return NOBODY
    if not _name(login):
        person = login.rpartition("\\")[2].partition("@")[0]
        signs = [sign for sign in person if _name(f"a{sign}")]
        while signs and not _name("".join(signs)):
            signs.pop()
        login = "".join(signs)
    return _name(login) or NOBODY


def _name(login: str) -> str:
    """The login name as a name; '' if it cannot be one."""
    try:
        return text.chosen_name(login)
    except WireError:
        return ""
