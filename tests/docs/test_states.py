"""The pictures of docs/architecture.md are those of the tables in the code."""

from typing import Any

import pytest

from docs import draw_states
from tests.docs.pages import ROOT
from voicechat.carriage.webrtc import channel
from voicechat.client.call import transmit
from voicechat.media import gate, spurt
from voicechat.rooms import listener

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_pictures_are_drawn_from_the_tables() -> None:
    """If not: python -m docs.draw_states."""
    assert PAGE.count("<!-- begin states: ") == len(draw_states.MACHINES)
    assert draw_states.updated(PAGE) == PAGE


@pytest.mark.parametrize(
    ("machine", "table"),
    [
        ("STREAM", spurt.OPERATIONS),
        ("GATE", gate.CHANGES),
        ("LISTENER", listener.SERVING),
        ("MUTE", transmit.CHANGES),
        ("RTC", channel.RTC),
    ],
)
def test_a_changed_table_changes_its_picture(
    machine: str, table: dict[Any, dict[Any, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = draw_states.MACHINES[machine]()
    for state, row in [*table.items()]:
        for event in row:
            with monkeypatch.context() as patched:
                patched.setitem(table, state, {other: to for other, to in row.items() if other is not event})
                assert draw_states.MACHINES[machine]() != before, (state, event)
