"""Draw the state diagrams of the documentation from the tables in the code.

``python -m docs.draw_states`` writes them into the pages, between their markers; a test
fails if a page is stale. What lives here: the drawing, in Mermaid's notation. May
import the modules that have tables, and what stands in these.
"""

import enum
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from voicechat.carriage.webrtc import channel
from voicechat.client.call import transmit
from voicechat.media import echo_watch, gate, spurt
from voicechat.media.forwarding import ListenerMode
from voicechat.media.packet import MediaPacket
from voicechat.rooms import listener
from voicechat.session import states
from voicechat.session.states import SessionState, Table
from voicechat.wire import handshake
from voicechat.wire.messages import Message

PAGES: Final = tuple(Path(__file__).with_name(name) for name in ("wire-protocol.md", "architecture.md"))

Arrow = tuple[enum.Enum, enum.Enum, str]
"""From, to, and what leads there."""

TABLES: Final[dict[str, Table]] = {"SERVER": states.SERVER, "CLIENT": states.CLIENT}

OWN_STEPS: Final = {
    "SERVER": [
        (SessionState.ENTERING, SessionState.IN_ROOM, "a seat is found, WELCOME or RESUMED leaves"),
        (SessionState.ENTERING, SessionState.CLOSED, "there is none, WELCOME leaves with a bye"),
    ],
    "CLIENT": [(SessionState.HELLO, SessionState.CLOSED, "WELCOME with a bye")],
}
"""Steps that no received string makes by itself, so that they do not stand in the tables."""

_BLOCK: Final = re.compile(r"(<!-- begin states: (\w+) -->\n).*?(<!-- end states -->)", re.DOTALL)


def name(received: type) -> str:
    """How the page calls what is received: HELLO, ping, media."""
    if received is MediaPacket:
        return "media"
    return received.__name__.lower() if issubclass(received, Message) else handshake.called(received).upper()


def draw(table: Table, own_steps: list[tuple[SessionState, SessionState, str]]) -> str:
    """The diagram of one side's table, with the steps that no received string makes."""
    arrows: list[Arrow] = []
    for state, row in table.items():
        arrows += [(state, to, name(kind)) for kind, to in row.items()]
        arrows += [(start, to, why) for start, to, why in own_steps if start is state]
    return diagram(SessionState.NEW, arrows, SessionState.CLOSED)


def stream() -> str:
    """What a stream does in which phase."""
    arrows: list[Arrow] = [
        (phase, to, operation.words)
        for phase, row in spurt.OPERATIONS.items()
        for operation, phases in row.items()
        for to in sorted(phases, key=list(spurt.Phase).index)
    ]
    return diagram(spurt.Phase.IDLE, [*arrows, *spurt.PACKETS])


def talk_gate() -> str:
    """How the gate goes from state to state."""
    arrows = [(state, to, why) for state, row in gate.CHANGES.items() for to, why in row.items()]
    return diagram(gate.GateState.SHUT, arrows)


def echo() -> str:
    """When the echo canceller sleeps."""
    arrows = [(state, to, why) for state, row in echo_watch.CHANGES.items() for to, why in row.items()]
    return diagram(echo_watch.EchoState.AWAKE, arrows)


def serving() -> str:
    """What a listener gets, and what changes that: the policy's mode in capitals, and what a tick brings."""
    arrows = [
        (state, to, event.name if isinstance(event, ListenerMode) else event.value)
        for state, row in listener.SERVING.items()
        for event, to in row.items()
    ]
    words = [f"    {state.name}: {state.words}" for state in listener.Serving]
    return "\n".join([diagram(listener.Serving.SILENT, arrows), *words])


def mute() -> str:
    """What a player's wishes lead to."""
    arrows = [(state, to, wish.value) for state, row in transmit.CHANGES.items() for wish, to in row.items()]
    words = [f"    {state.name}: {state.value}" for state in transmit.MuteState]
    return "\n".join([diagram(transmit.MuteState.ACTIVE, arrows), *words])


def rtc() -> str:
    """How far a browser's path is."""
    arrows = [(state, to, event.value) for state, row in channel.RTC.items() for event, to in row.items()]
    words = [f"    {state.name}: {state.value}" for state in channel.RtcState]
    return "\n".join([diagram(channel.RtcState.OFFERED, arrows), *words])


MACHINES: Final = {"STREAM": stream, "GATE": talk_gate, "ECHO": echo, "LISTENER": serving, "MUTE": mute, "RTC": rtc}
"""The diagrams of the architecture page."""


def diagram(first: enum.Enum, arrows: Iterable[Arrow], last: enum.Enum | None = None) -> str:
    """One diagram: an arrow for each pair of states, labelled with all that leads from one to the other."""
    labels: dict[tuple[enum.Enum, enum.Enum], list[str]] = {}
    for start, to, label in arrows:
        labels.setdefault((start, to), []).append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {first.name}"]
    lines += [f"    {start.name} --> {to.name}: {', '.join(those)}" for (start, to), those in labels.items()]
    return "\n".join([*lines, f"    {last.name} --> [*]"] if last else lines)


def updated(page: str) -> str:
    """The page with its diagrams drawn anew."""

    def drawn(block: re.Match[str]) -> str:
        head, machine, tail = block.groups()
        picture = draw(TABLES[machine], OWN_STEPS[machine]) if machine in TABLES else MACHINES[machine]()
        return f"{head}```mermaid\n{picture}\n```\n{tail}"

    return _BLOCK.sub(drawn, page)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")
