"""Raw Input: what a keyboard or a mouse did, read from the bytes that Windows gives. Pure.

The layouts are those of a 64-bit Windows (winuser.h: RAWINPUTHEADER, RAWKEYBOARD, RAWMOUSE). Whatever the
bytes are, there comes a list of changes, or none.
"""

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct("<II8x8x")
"""RAWINPUTHEADER: type and size, then a handle and a number that are not asked for."""

KEYBOARD: Final = struct.Struct("<HH2xHII")
"""RAWKEYBOARD: scan code, flags, virtual key, window message, extra."""

MOUSE: Final = struct.Struct("<H2xH2xIiiI")
"""RAWMOUSE: flags, what the buttons did, then what is not asked for."""

TYPE_MOUSE: Final = 0
TYPE_KEYBOARD: Final = 1

BREAK: Final = 1
"""Flag of a key that was let go (RI_KEY_BREAK)."""
E0: Final = 2
"""Flag of a key of the extended set: the right one of two, the arrows beside the digits (RI_KEY_E0)."""

RIGHT_SHIFT: Final = 0x36
"""Its scan code: of the two shift keys neither has the flag."""

VK_SHIFT, VK_CONTROL, VK_MENU, VK_RETURN = 0x10, 0x11, 0x12, 0x0D
VK_LSHIFT, VK_RSHIFT, VK_LCONTROL, VK_RCONTROL, VK_LMENU, VK_RMENU = range(0xA0, 0xA6)

NUMPAD_ENTER: Final = 0x10D
"""Return with the flag E0: Windows has no number of its own for it."""

BUTTONS: Final = {"mouse1": 0x0001, "mouse2": 0x0010, "mouse3": 0x0004, "mouse8": 0x0040, "mouse9": 0x0100}
"""The buttons by X's names, which the talk key has everywhere: the bit of going down; the next one is that of going up.
mouse8 and mouse9 are those at the side (RI_MOUSE_BUTTON_4_DOWN, RI_MOUSE_BUTTON_5_DOWN)."""


class KeyChange(NamedTuple):
    """A key or button has gone down or up."""

    code: int
    """A virtual key, told apart left from right; or the bit of a button."""
    mouse: bool
    down: bool


def changes_in(data: bytes) -> list[KeyChange]:
    """What one RAWINPUT tells; a mouse may tell several at once."""
    if len(data) < HEADER.size:
        return []
    kind, _ = HEADER.unpack_from(data)
    body = data[HEADER.size :]
    if kind == TYPE_KEYBOARD and len(body) >= KEYBOARD.size:
        scan, flags, key, _, _ = KEYBOARD.unpack_from(body)
        return [KeyChange(_told_apart(scan, flags, key), mouse=False, down=not flags & BREAK)]
    if kind == TYPE_MOUSE and len(body) >= MOUSE.size:
        did = MOUSE.unpack_from(body)[1]
        return [
            KeyChange(bit, mouse=True, down=down)
            for bit in BUTTONS.values()
            for down in (True, False)
            if did & (bit if down else bit << 1)
        ]
    return []


def _told_apart(scan: int, flags: int, key: int) -> int:
    """The virtual key, where Windows gives one number to two keys."""
    right = bool(flags & E0)
    if key == VK_SHIFT:
        return VK_RSHIFT if scan == RIGHT_SHIFT else VK_LSHIFT
    if key == VK_CONTROL:
        return VK_RCONTROL if right else VK_LCONTROL
    if key == VK_MENU:
        return VK_RMENU if right else VK_LMENU
    if key == VK_RETURN:
        return NUMPAD_ENTER if right else VK_RETURN
    return key


class Key:
    """One key or button, and whether it is held: ``fed`` tells changes alone, since keyboards repeat."""

    def __init__(self, code: int, *, mouse: bool) -> None:
        self.code = code
        self.mouse = mouse
        self.down = False

    def fed(self, data: bytes) -> list[bool]:
        """The changes that one RAWINPUT brings, in their order: True is down."""
        changes = []
        for change in changes_in(data):
            if (change.code, change.mouse) == (self.code, self.mouse) and change.down != self.down:
                self.down = change.down
                changes.append(change.down)
        return changes
