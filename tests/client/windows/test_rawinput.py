"""Raw input, from bytes to a key that is held; real windows and real input are in tests/windows."""

import struct
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.windows.keynames import KEYS, SIGNS, key_named
from voicechat.client.windows.rawinput import BUTTONS, Key, KeyChange, changes_in
from voicechat.errors import ConfigError

PAUSE, F9, V = 0x13, 0x78, 0x56


def keyboard(key: int, *, up: bool = False, scan: int = 0, extended: bool = False) -> bytes:
    """A RAWINPUT of a keyboard, as winuser.h lays it out."""
    header = struct.pack("<IIQQ", 1, 40, 0x1234_5678_9ABC, 1)
    message = 0x0101 if up else 0x0100
    return header + struct.pack("<HHHHII", scan, up | extended << 1, 0, key, message, 0)


def mouse(did: int, *, moved: tuple[int, int] = (0, 0)) -> bytes:
    """A RAWINPUT of a mouse."""
    header = struct.pack("<IIQQ", 0, 48, 0x1234_5678_9ABC, 1)
    return header + struct.pack("<HHHHIiiI", 0, 0, did, 0, 0, *moved, 0)


def test_a_key_goes_down_and_up() -> None:
    assert len(keyboard(F9)) == 40
    assert changes_in(keyboard(F9)) == [KeyChange(F9, mouse=False, down=True)]
    assert changes_in(keyboard(F9, up=True)) == [KeyChange(F9, mouse=False, down=False)]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (keyboard(0x11, extended=True, scan=0x1D), "Control_R"),
        (keyboard(0x11, scan=0x1D), "Control_L"),
        (keyboard(0x12, extended=True, scan=0x38), "Alt_R"),
        (keyboard(0x12, extended=True, scan=0x38), "ISO_Level3_Shift"),
        (keyboard(0x12, scan=0x38), "Alt_L"),
        (keyboard(0x10, scan=0x36), "Shift_R"),
        (keyboard(0x10, scan=0x2A), "Shift_L"),
        (keyboard(0xA3, extended=True), "Control_R"),
        (keyboard(0x0D, extended=True, scan=0x1C), "KP_Enter"),
        (keyboard(0x0D, scan=0x1C), "Return"),
        (keyboard(PAUSE, scan=0x1D), "Pause"),
        (keyboard(F9, scan=0x43), "F9"),
        (keyboard(0x65), "KP_5"),
        (keyboard(V, scan=0x2F), "v"),
        (keyboard(V, scan=0x2F), "V"),
        (keyboard(0xBC), "comma"),
        (mouse(0x0001), "mouse1"),
        (mouse(0x0010), "mouse2"),
        (mouse(0x0004), "mouse3"),
        (mouse(0x0040), "mouse8"),
        (mouse(0x0100), "mouse9"),
    ],
)
def test_each_key_has_the_name_that_it_has_on_x11(data: bytes, name: str) -> None:
    layout = {"v": V, ",": 0xBC}
    assert key_named(name, layout.get).fed(data) == [True]
    others = [other for other in (*KEYS, *BUTTONS) if key_named(other, layout.get).fed(data)]
    same = {"Alt_R": {"Alt_R", "ISO_Level3_Shift"}}.get(name.replace("ISO_Level3_Shift", "Alt_R"), {name})
    assert set(others) <= same


@pytest.mark.parametrize("name", ["F99", "", "mouse4", "Ctrl+V", "F9 ", "\u65e5", "f9"])
def test_a_name_that_is_none_is_told_with_some_that_are(name: str) -> None:
    with pytest.raises(ConfigError, match="keys are named F9, Pause, Control_R, KP_0, v"):
        key_named(name, lambda _: None)


def test_the_names_are_xs_own() -> None:
    from Xlib import XK

    for name in (*KEYS, *SIGNS):
        assert XK.string_to_keysym(name) or name == "ISO_Level3_Shift", name
    for name, sign in SIGNS.items():
        assert XK.string_to_keysym(name) == ord(sign)


def test_a_mouse_that_moves_presses_nothing_and_may_press_several() -> None:
    assert changes_in(mouse(0, moved=(3, -5))) == []
    assert changes_in(mouse(0x0400)) == [], "the wheel"
    assert changes_in(mouse(0x0001 | 0x0008)) == [
        KeyChange(1, mouse=True, down=True),
        KeyChange(4, mouse=True, down=False),
    ]


def test_a_click_within_one_report_is_down_and_up() -> None:
    assert Key(BUTTONS["mouse8"], mouse=True).fed(mouse(0x0040 | 0x0080)) == [True, False]


class Pressed(NamedTuple):
    """Something that a player does."""

    key: int
    up: bool
    of_mouse: bool


ACTIONS = st.lists(st.builds(Pressed, st.sampled_from([1, 4, F9, V]), st.booleans(), st.booleans()))


@given(actions=ACTIONS)
def test_whatever_is_typed_only_changes_of_the_key_are_told(actions: list[Pressed]) -> None:
    key, held, told = Key(F9, mouse=False), False, False
    for it in actions:
        bits = it.key << it.up if it.key in (1, 4) else 0
        data = mouse(bits) if it.of_mouse else keyboard(it.key, up=it.up)
        for down in key.fed(data):
            assert down != told, "no change"
            told = down
        if it.key == F9 and not it.of_mouse:
            held = not it.up
        assert told == held == key.down


@given(data=st.binary(max_size=100))
def test_any_bytes_are_edges_or_nothing(data: bytes) -> None:
    for change in changes_in(data):
        assert change.mouse == (data[0] == 0)
        assert change.code


@given(data=st.sampled_from([keyboard(F9), mouse(1)]), length=st.integers(min_value=0))
def test_less_than_one_input_is_nothing(data: bytes, length: int) -> None:
    assert changes_in(data[: length % len(data)]) == []
