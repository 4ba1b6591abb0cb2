"""Which face the client has: a screen, or lines.

The screen is imported only if it is taken.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from voicechat import standard
from voicechat.client.options import KINDS, kinds
from voicechat.client.ui.line import ON_TERMINAL, Console
from voicechat.errors import ConfigError


def console(ui: str, say: str | None, reactor: Any, gone: Callable[[], None]) -> Console:
    """The user interface that was asked for; 'auto' is the screen wherever there can be one. ConfigError if not."""
    usual = ON_TERMINAL if standard.is_terminal("stdout") else frozenset(KINDS)
    lines = Console(told=usual if say is None else kinds(say))
    if ui == "line":
        return lines
    why = ""
    if not (standard.is_terminal("stdin") and standard.is_terminal("stdout") and can_draw(os.environ)):
        why = "--ui screen needs a terminal; --ui line does not"
    elif importlib.util.find_spec("urwid") is None:
        why = "urwid is not installed: install this package's client extra, or take --ui line"
    if not why:
        from voicechat.client.ui.screen import Screen

        return Screen(reactor, gone)
    if ui == "screen":
        raise ConfigError(why)
    return lines


def can_draw(environ: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a terminal is one for a screen: a console of Windows is, and nobody sets TERM there."""
    return (environ.get("TERM") or ("console" if platform == "win32" else "dumb")) != "dumb"
