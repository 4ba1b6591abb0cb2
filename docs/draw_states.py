"""Draw the state diagrams of docs/wire-protocol.md from the tables in the code.

``python -m docs.draw_states`` writes them into the page, between its markers; a test
fails if the page is stale. What lives here: the drawing, in Mermaid's notation. May
import ``voicechat.session.states`` and what stands in its tables.
"""

import re
from pathlib import Path
from typing import Final

from voicechat.media.packet import MediaPacket
from voicechat.session import states
from voicechat.session.states import State, Table
from voicechat.wire.messages import Message

PAGE: Final = Path(__file__).with_name("wire-protocol.md")

TABLES: Final[dict[str, Table]] = {"SERVER": states.SERVER, "CLIENT": states.CLIENT}

OWN_STEPS: Final = {
    "SERVER": [
        (State.ENTERING, State.IN_ROOM, "a seat is found, WELCOME or RESUMED leaves"),
        (State.ENTERING, State.CLOSED, "there is none, WELCOME leaves with a bye"),
    ],
    "CLIENT": [(State.HELLO, State.CLOSED, "WELCOME with a bye")],
}
"""Steps that no received string makes by itself, so that they do not stand in the tables."""

_BLOCK: Final = re.compile(r"(<!-- begin states: (\w+) -->\n).*?(<!-- end states -->)", re.DOTALL)


def name(received: type) -> str:
    """How the page calls what is received: HELLO, ping, media."""
    if received is MediaPacket:
        return "media"
    return received.__name__.lower() if issubclass(received, Message) else received.__name__.upper()


def draw(table: Table, own_steps: list[tuple[State, State, str]]) -> str:
    """One diagram: an arrow for each pair of states, labelled with all that leads from one to the other."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.NEW.name}"]
    for state, row in table.items():
        for following in dict.fromkeys(row.values()):
            received = ", ".join(name(kind) for kind, to in row.items() if to is following)
            lines.append(f"    {state.name} --> {following.name}: {received}")
        lines += [f"    {state.name} --> {to.name}: {why}" for start, to, why in own_steps if start is state]
    lines.append(f"    {State.CLOSED.name} --> [*]")
    return "\n".join(lines)


def updated(page: str) -> str:
    """The page with its diagrams drawn anew."""

    def drawn(block: re.Match[str]) -> str:
        head, table, tail = block.groups()
        return f"{head}```mermaid\n{draw(TABLES[table], OWN_STEPS[table])}\n```\n{tail}"

    return _BLOCK.sub(drawn, page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
