"""What happens to a console's window, and what is done then; tests/windows has the window itself."""

import pytest

from voicechat.client.windows import console


class Call:
    """What was asked of a call, in its order; and how long the process was held."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def obeyed(self, event: int) -> bool:
        return console.obeyed(
            event,
            lambda: self.told.append("interrupted"),
            lambda: self.told.append("leave"),
            lambda seconds: self.told.append(f"held {seconds:g} s"),
        )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (console.CTRL_C, ["interrupted"]),
        (console.CTRL_BREAK, ["leave"]),
        (console.CLOSE, ["leave", "held 4.5 s"]),
        (console.LOGOFF, ["leave", "held 4.5 s"]),
        (console.SHUTDOWN, ["leave", "held 4.5 s"]),
    ],
)
def test_each_event_ends_the_call_in_its_way(event: int, told: list[str]) -> None:
    """After a closing Windows ends the process when the handler returns: it is held until the call has left."""
    call = Call()
    assert call.obeyed(event)
    assert call.told == told


@pytest.mark.parametrize("event", [3, 4, 7, 2**32 - 1])
def test_an_event_that_is_not_known_is_left_to_others(event: int) -> None:
    call = Call()
    assert not call.obeyed(event)
    assert call.told == []
