"""A talk key under a real X server, without a screen (Xvfb); keys are pressed by its test extension."""

import gc
import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

from testkit.children import Children, Server
from voicechat.client.ui.hotkey import HotKey
from voicechat.errors import ConfigError


class Keyboard:
    """An X server of one test, and somebody who types on it."""

    def __init__(self) -> None:
        read, write = os.pipe()
        with os.fdopen(read) as number:
            self.server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", "64x64x8", "-nolisten", "tcp"],
                pass_fds=[write],
                stderr=subprocess.DEVNULL,
            )
            os.close(write)
            self.name = f":{number.readline().strip()}"
        self.display = Display(self.name)
        self.environment = {"DISPLAY": self.name}

    def press(self, key: str, *, release: bool = False) -> None:
        """A key goes down, or up."""
        code = self.display.keysym_to_keycode(XK.string_to_keysym(key))
        xtest.fake_input(self.display, X.KeyRelease if release else X.KeyPress, code)
        self.display.sync()

    def click(self, button: int, *, release: bool = False) -> None:
        """A button of the mouse goes down, or up."""
        xtest.fake_input(self.display, X.ButtonRelease if release else X.ButtonPress, button)
        self.display.sync()

    def close(self) -> None:
        """The X server is gone."""
        self.display.close()
        self.server.kill()
        self.server.wait()


class Readers:
    """The part of a reactor that is needed."""

    def __init__(self) -> None:
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        """Watch."""
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        """Watch no more."""
        if reader in self.readers:
            self.readers.remove(reader)


class Watched:
    """What a hot key told."""

    def __init__(self, keyboard: Keyboard, key: str) -> None:
        self.told: list[str] = []
        self.reactor = Readers()
        self.hotkey = HotKey(
            self.reactor,
            key,
            lambda: self.told.append("down"),
            lambda: self.told.append("up"),
            self.told.append,
            keyboard.environment,
        )
        self.hotkey._display.sync()

    def read(self) -> list[str]:
        """What was told, all that has happened before included."""
        self.hotkey._display.sync()
        self.hotkey.doRead()
        return self.told


@pytest.fixture(scope="module")
def keyboard() -> Iterator[Keyboard]:
    it = Keyboard()
    yield it
    it.close()


def test_a_key_is_seen_and_no_other(keyboard: Keyboard) -> None:
    watched = Watched(keyboard, "F9")
    for key in ("F9", "a", "F8"):
        keyboard.press(key)
        keyboard.press(key, release=True)
    keyboard.click(1)
    keyboard.click(1, release=True)
    assert watched.read() == ["down", "up"]
    watched.hotkey.stop()
    assert not watched.reactor.readers


def test_a_button_of_the_mouse_is_seen(keyboard: Keyboard) -> None:
    watched = Watched(keyboard, "mouse8")
    keyboard.click(8)
    keyboard.click(1)
    keyboard.click(1, release=True)
    keyboard.click(8, release=True)
    assert watched.read() == ["down", "up"]
    watched.hotkey.stop()


def test_a_game_that_has_grabbed_the_keyboard_does_not_hide_it(keyboard: Keyboard) -> None:
    game = Display(keyboard.name)
    window = game.screen().root.create_window(0, 0, 10, 10, 0, X.CopyFromParent)
    window.map()
    game.sync()
    status = game.screen().root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
    assert status == X.GrabSuccess
    watched = Watched(keyboard, "Pause")
    keyboard.press("Pause")
    keyboard.press("Pause", release=True)
    assert watched.read() == ["down", "up"]
    watched.hotkey.stop()
    game.close()


def test_a_display_that_goes_away_lets_go_of_the_key() -> None:
    keyboard = Keyboard()
    watched = Watched(keyboard, "F9")
    keyboard.press("F9")
    assert watched.read() == ["down"]
    keyboard.close()
    watched.hotkey.doRead()
    assert watched.told == ["down", "up", "the display is gone, and the talk key with it"]
    assert not watched.reactor.readers


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, "needs X11, and there is no display here; elsewhere bind a key of your desktop to 'voicechat-ctl"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland lets no program watch a key: bind a key"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "Wayland lets no program watch a key"),
        ({"DISPLAY": ":99999"}, "the display :99999 cannot be used"),
        ({"DISPLAY": "nonsense"}, "the display nonsense cannot be used"),
    ],
)
def test_where_there_is_no_key_to_watch_it_says_what_to_do(environment: dict[str, str], why: str) -> None:
    assert why in refusal(environment)


def refusal(environment: dict[str, str]) -> str:
    """What is told; python-xlib leaves the socket open that it could not connect, until it is collected here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            HotKey(Readers(), "F9", print, print, print, environment)
        except ConfigError as error:
            told = str(error)
        gc.collect()
    return told


@pytest.mark.parametrize("key", ["F99", "mouse4", "", "Ctrl+V"])
def test_a_key_that_is_none_is_told(keyboard: Keyboard, key: str) -> None:
    with pytest.raises(ConfigError, match="this keyboard has no key"):
        HotKey(Readers(), key, print, print, print, keyboard.environment)


def test_a_client_is_heard_while_the_key_is_held(
    keyboard: Keyboard, server: Server, home: Children, tmp_path: Path
) -> None:
    ben = home.client(server.port, "Ben", "--room", "hotkey")
    ben.line("you are in as Ben")
    display = {"DISPLAY": keyboard.name, "WAYLAND_DISPLAY": "", "XDG_SESSION_TYPE": "x11"}
    ann = home.start(
        *["voicechat-client", "--host", "127.0.0.1", "--port", str(server.port), "--name", "Ann", "--room", "hotkey"],
        *["--password-file", str(home.password_file), "--input", "tone:440", "--output", "null"],
        *["--talk", "push", "--ptt-key", "F9"],
        variables=display,
    )
    ann.line("you are in as Ann")
    keyboard.press("F9")
    ben.line("Ann talks")
    keyboard.press("F9", release=True)
    ben.line("Ann stops")
    ann.kill()
    ben.kill()
