"""The size of a terminal that says something odd about it."""

import fcntl
import os
import struct
import termios
from pathlib import Path

import pytest

from voicechat.client.ui.display import MOST, USUAL, Display, size_of


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ((0, 0), USUAL),
        ((80, 0), USUAL),
        ((0, 24), USUAL),
        ((1, 1), (1, 1)),
        ((120, 40), (120, 40)),
        ((5000, 40), (MOST, 40)),
        ((40, 65_535), (40, MOST)),
        ((65_535, 65_535), (MOST, MOST)),
    ],
)
def test_a_size_that_cannot_be_drawn_on_is_one_that_can(said: tuple[int, int], size: tuple[int, int]) -> None:
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", said[1], said[0], 0, 0))
        with open(slave, "w", closefd=False) as terminal:
            display = Display(output=terminal)
            assert display.get_cols_rows() == size
            assert display.maxrow == size[1]
    finally:
        os.close(master)
        os.close(slave)


def test_a_console_of_windows_is_asked_where_the_screen_writes() -> None:
    """Urwid asks only of sys.stdout itself, and the screen writes through a thread."""
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
        with open(slave, "w", closefd=False) as terminal:
            assert Display(output=terminal)._console_window_size() == (97, 31)
        with Path(os.devnull).open("w") as nothing:
            assert Display(output=nothing)._console_window_size() is None
    finally:
        os.close(master)
        os.close(slave)


def test_a_negative_one_is_a_large_one() -> None:
    """Urwid reads 65535 as -1."""
    assert size_of(-1, -1) == (MOST, MOST)
