"""The real client asks on a real terminal: for the link, for the password, and once more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.children import PASSWORD, Server
from testkit.terminal import Terminal

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts clients on terminals of their own."""
    terminals: list[Terminal] = []

    def on_terminal(*options: str) -> Terminal:
        words = ["voicechat-client", *options, "--name", "Ann", "--input", "silence", "--output", "null"]
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "VOICECHAT_CONFIG": ""}
        terminals.append(Terminal(words, 100, 30, folder=tmp_path, variables=home, controlling=True))
        return terminals[-1]

    yield on_terminal
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize("ui", ["line", "screen"])
def test_a_wrong_password_is_asked_for_again(start: Start, server: Server, ui: str) -> None:
    ann = start("127.0.0.1", "--port", str(server.port), "--ui", ui)
    ann.until("Password:")
    ann.type("a wrong one\n")
    ann.until("the password was refused; type it again, it is not shown (2 of 3):")
    ann.type(f"{PASSWORD}\n")
    ann.until("you are in as Ann" if ui == "line" else "? help")
    assert PASSWORD not in ann.shown
    assert PASSWORD.encode() not in ann.written
    ann.type("/quit\n" if ui == "line" else "q")
    assert ann.end() == 0
    assert ann.settings() == ann._before


def test_three_wrong_ones_are_enough(start: Start, server: Server) -> None:
    ann = start("127.0.0.1", "--port", str(server.port))
    for told in ("Password:", "(2 of 3)", "(3 of 3)"):
        ann.until(told)
        ann.type("a wrong one\n")
    assert ann.end() == 77
    assert "ask your host for the right one" in ann.shown.replace("\n", " ")
    assert ann.settings() == ann._before, "what is typed is shown again"


def test_ctrl_c_while_it_asks_gives_the_terminal_back(start: Start, server: Server) -> None:
    ann = start("127.0.0.1", "--port", str(server.port))
    ann.until("Password:")
    ann.type("a wrong one\n")
    ann.until("(2 of 3)")
    ann.type("\x03")
    assert ann.end() == 130
    assert ann.settings() == ann._before


def test_a_password_of_a_file_is_not_asked_for_again(start: Start, server: Server, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("a wrong one")
    ann = start("127.0.0.1", "--port", str(server.port), "--password-file", str(tmp_path / "wrong"))
    assert ann.end() == 77


def test_a_link_is_asked_for_and_kept(start: Start, server: Server, tmp_path: Path) -> None:
    ann = start("--ui", "line")
    ann.until("Paste the link that your host sent you")
    ann.type(f"voicechat://127.0.0.1:{server.port}/asked#{PASSWORD}\n")
    ann.until("Keep this")
    ann.type("y\n")
    ann.until("you are in as Ann")
    ann.type("/quit\n")
    assert ann.end() == 0
    again = start("--ui", "line")
    again.until("you are in as Ann")
    assert "Paste" not in again.shown
    again.type("/quit\n")
    assert again.end() == 0
    assert (tmp_path / "config" / "voicechat" / "client.toml").stat().st_mode & 0o077 == 0
