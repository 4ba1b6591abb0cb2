"""A talk key that works while another window has the keyboard: the one place that knows which way there is here.

On Windows by Raw Input (`client.windows.talkkey`), elsewhere on X11 (`hotkey`). Keys have the same names on both.
"""

import sys
from collections.abc import Callable
from typing import Any


def watch(
    reactor: Any, key: str, down: Callable[[], None], up: Callable[[], None], lost: Callable[[str], None]
) -> None:
    """Have ``down`` and ``up`` called when the key is pressed and let go, until the reactor stops.

    ``lost`` is called, with a line for the player, if that ends before. ConfigError says why it cannot be.
    """
    if sys.platform == "win32":
        from voicechat.client.windows.talkkey import RawInputKey

        reactor.addSystemEventTrigger("before", "shutdown", RawInputKey(reactor, key, down, up, lost).stop)
    else:
        from voicechat.client.ui.hotkey import HotKey

        HotKey(reactor, key, down, up, lost)
