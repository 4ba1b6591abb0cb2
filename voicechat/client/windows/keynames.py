"""The talk key's names on Windows: those that the keys have on X11, as far as they have one. Pure.

Letters, digits and signs are found through the keyboard's layout, which ``by_layout`` asks; all other keys have
one number on every keyboard (winuser.h, VK_*).
"""

from collections.abc import Callable
from typing import Final

from voicechat.client.windows import rawinput
from voicechat.client.windows.rawinput import BUTTONS, Key
from voicechat.errors import ConfigError

_FIRST_F, _LAST_F, _VK_F1 = 1, 24, 0x70
_VK_NUMPAD0: Final = 0x60

KEYS: Final = {
    "BackSpace": 0x08,
    "Tab": 0x09,
    "Return": rawinput.VK_RETURN,
    "Pause": 0x13,
    "Caps_Lock": 0x14,
    "Escape": 0x1B,
    "space": 0x20,
    "Prior": 0x21,
    "Page_Up": 0x21,
    "Next": 0x22,
    "Page_Down": 0x22,
    "End": 0x23,
    "Home": 0x24,
    "Left": 0x25,
    "Up": 0x26,
    "Right": 0x27,
    "Down": 0x28,
    "Print": 0x2C,
    "Insert": 0x2D,
    "Delete": 0x2E,
    "Super_L": 0x5B,
    "Super_R": 0x5C,
    "Menu": 0x5D,
    "KP_Enter": rawinput.NUMPAD_ENTER,
    **{f"KP_{digit}": _VK_NUMPAD0 + digit for digit in range(10)},
    "KP_Multiply": 0x6A,
    "KP_Add": 0x6B,
    "KP_Subtract": 0x6D,
    "KP_Decimal": 0x6E,
    "KP_Divide": 0x6F,
    **{f"F{number}": _VK_F1 + number - _FIRST_F for number in range(_FIRST_F, _LAST_F + 1)},
    "Num_Lock": 0x90,
    "Scroll_Lock": 0x91,
    "Shift_L": rawinput.VK_LSHIFT,
    "Shift_R": rawinput.VK_RSHIFT,
    "Control_L": rawinput.VK_LCONTROL,
    "Control_R": rawinput.VK_RCONTROL,
    "Alt_L": rawinput.VK_LMENU,
    "Alt_R": rawinput.VK_RMENU,
    "ISO_Level3_Shift": rawinput.VK_RMENU,
}
"""Virtual keys by X's names (keysymdef.h, without XK_)."""

SIGNS: Final = {
    "apostrophe": "'",
    "asterisk": "*",
    "backslash": "\\",
    "bracketleft": "[",
    "bracketright": "]",
    "comma": ",",
    "equal": "=",
    "grave": "`",
    "less": "<",
    "minus": "-",
    "numbersign": "#",
    "period": ".",
    "plus": "+",
    "semicolon": ";",
    "slash": "/",
}
"""Keys that X names by the sign on them."""

ADVICE: Final = f"keys are named F9, Pause, Control_R, KP_0, v as on X11; buttons are {', '.join(BUTTONS)}"


def key_named(name: str, by_layout: Callable[[str], int | None]) -> Key:
    """The key or button of a name; ``by_layout`` gives the virtual key of a sign. ConfigError if there is none."""
    if name in BUTTONS:
        return Key(BUTTONS[name], mouse=True)
    code = KEYS.get(name)
    sign = SIGNS.get(name, name)
    if code is None and len(sign) == 1:
        code = by_layout(sign.lower())
    if code is None:
        raise ConfigError(f"there is no key {name!r}; {ADVICE}")
    return Key(code, mouse=False)
