"""What a run decides before it begins."""

import pytest

from voicechat.client.options import kinds
from voicechat.client.ui.face import can_draw
from voicechat.errors import ConfigError


@pytest.mark.parametrize(
    ("platform", "terminal", "drawn"),
    [
        ("linux", "xterm-256color", True),
        ("linux", "", False),
        ("linux", None, False),
        ("linux", "dumb", False),
        ("win32", None, True),  # a console
        ("win32", "", True),
        ("win32", "xterm", True),  # Git Bash
        ("win32", "dumb", False),
    ],
)
def test_a_screen_needs_no_term_on_windows(platform: str, terminal: str | None, drawn: bool) -> None:
    environment = {} if terminal is None else {"TERM": terminal}
    assert can_draw(environment, platform) is drawn


def test_what_is_told_is_chosen_by_kinds() -> None:
    assert kinds("joins, text") == {"joins", "text"}
    assert kinds("") == set()
    with pytest.raises(ConfigError, match=r"^say: some of joins, text, trouble, talk are needed, .* not 'all'$"):
        kinds("text,all")
