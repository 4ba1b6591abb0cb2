"""The screen as plain values: what stands in which line, and in which style. Pure.

A row is a list of (style, text); the shell (`screen`) draws rows and knows no call.
Whatever a colour says, a word says too. Widths are columns of a terminal, in which a
letter may take two (the tables are urwid's, the only thing that is used of it here).

At 60 columns nothing is cut but long names and the room's.
"""

import math
from typing import Final

from urwid.str_util import calc_width

from voicechat.client.call.status import FriendStatus, Status
from voicechat.client.network.outage import Outage
from voicechat.client.ui.rows import Look, Row, fit
from voicechat.media.levels import QUIETEST_DBFS
from voicechat.media.quality import Quality
from voicechat.wire import shown

METER_FLOOR: Final = -60.0
"""dBFS at the meter's left end: the noise of a quiet room."""

METER_STEPS: Final = 20
"""Cells of the meter: 3 dB each, which is what is seen of a voice that is too loud or too soft."""

WIDE: Final = 80
TALL: Final = 20
"""Columns and rows from which there is room for what is good to know and not needed."""

FAIR_MS: Final = 150.0
FAIR_PERCENT: Final = 3.0
"""Round trip, and loss, from which a connection is no more than fair: with the rest of the way 150 ms from mouth to ear
are passed (ITU-T G.114), and redundancy has work."""

BAD: Final = 3.0
"""So many times that it is bad."""

FEWEST_LINES: Final = 3
"""Lines of news that are shown however many friends are here."""

KEYS: Final[tuple[tuple[str, str], ...]] = (
    ("m", "mute yourself, or unmute"),
    ("d", "deafen: hear nothing and be muted"),
    ("n", "noise suppression: off, light, strong"),
    ("space", "hold the talk key, or let go"),
    ("up, down", "choose a friend"),
    ("+, -", "the chosen friend louder or softer for you"),
    ("x", "mute the chosen friend for you, or unmute them"),
    ("enter", "write to your friends; escape to stop"),
    ("page up", "older lines; page down: newer ones"),
    ("r", "try again now, when the line has broken"),
    ("q", "leave, as Ctrl-C does"),
)


def title(status: Status, width: int, look: Look) -> Row:
    """Who and where we are, and how the line is."""
    dot = " · " if look.fancy else " | "
    line = [_ways(status)]
    if status.round_trip_ms is not None:
        line.append(f"{status.round_trip_ms:.0f} ms round trip")
    if status.path == "udp":
        line.append(f"loss {status.loss_percent:.0f} %")
    if width >= WIDE:
        line += [quality(status)] * (status.round_trip_ms is not None)
    right = dot.join(line) if status.connected else "not connected"
    if status.outage is not None:
        right = f"NO ANSWER FOR {status.outage.seconds:.0f} s" if status.connected else f"{right}: NOBODY HEARS YOU"
    left = (
        " voicechat"
        + (f"{dot}{shown.isolated(status.name)}" if status.name else "")
        + (f"{dot}{shown.isolated(status.room)}" if status.room else "")
    )
    space = width - calc_width(right, 0, len(right)) - 1
    style = "title" if status.outage is None else "lost"
    return [(style, fit(left, space, fancy=look.fancy) + right + " ")]


def quality(status: Status) -> str:
    """The connection in a word, for whoever does not know what milliseconds mean."""
    worst = max((status.round_trip_ms or 0.0) / FAIR_MS, status.loss_percent / FAIR_PERCENT)
    return "good" if worst < 1 else "fair" if worst < BAD else "bad"


def _ways(status: Status) -> str:
    """The carriage of both directions; both of them where they are not the same."""
    if status.path_in in (None, status.path):
        return status.path.upper()
    return f"{status.path.upper()} up, {status.path_in.upper()} down"


def lost(outage: Outage, width: int, look: Look) -> list[Row]:
    """In place of what we do, while nobody hears it: why, what comes next, and what can be done."""
    if not outage.tries:
        what, hears, key = "", "Perhaps nobody hears you.", "connect anew"
    else:
        soon = "now" if not outage.next_s else f"in {math.ceil(outage.next_s)} s"
        what, hears, key = f" Trying again {soon} (try {outage.tries}).", "Nobody hears you.", "try now"
    why = f" ! {outage.why[:1].upper()}{outage.why[1:]}."
    if calc_width(why + what, 0, len(why + what)) > width:
        why = fit(why, max(3, width - len(what)), fancy=look.fancy)
    return [
        [("alarm", fit(why + what, width, fancy=look.fancy))],
        [("alarm", f"   {hears}"), ("key", "   r"), ("", f" {key}"), ("key", "   q"), ("", " leave")],
    ]


def own(status: Status, width: int, look: Look) -> Row:
    """What we do: a word, the microphone's level, and what opens it."""
    if status.deafened:
        word, style = "DEAFENED", "alarm"
    elif status.muted:
        word, style = "MUTED", "alarm"
    elif status.talking:
        word, style = "talking", "talks"
    else:
        word, style = "silent", "dim"
    if "microphone" in status.lacks and not status.muted:
        return [("alarm", fit("  you NO MICROPHONE: nobody hears you; plug one in", width, fancy=look.fancy))]
    key = "mute key" if status.talk == "push-to-mute" else "talk key"
    how = f"{key} down" if status.key_held else "" if status.talk == "voice" else f"{key} up"
    level = "      " if status.level_dbfs <= QUIETEST_DBFS else f"{status.level_dbfs:4.0f} dB"[:7]
    room = max(0, width - 12 - METER_STEPS - 2 - 8)
    if status.unheard:
        return [
            (style, fit(f"  you {word}", 15)),
            *meter(status, look),
            ("alarm", fit("you talk, but are muted", max(0, width - 15 - METER_STEPS - 2), fancy=look.fancy)),
        ]
    return [
        (style, fit(f"  you {word}", 15)),
        *meter(status, look),
        ("", f" {level:>6} "),
        ("dim", fit(how, room - 4, fancy=look.fancy)),
    ]


def state(status: Status, width: int, look: Look) -> Row:
    """What stays as it is until somebody changes it: server, what opens the microphone, suppression, the card."""
    parts = [f"on {status.server}"] * bool(status.server)
    parts += [f"talk {status.talk}", f"suppress {status.suppress}", f"echo {status.echo}"]
    parts += [f"mic {status.microphone}"] * bool(status.microphone)
    parts += ["NO LOUDSPEAKER"] * ("loudspeaker" in status.lacks)
    return [("dim", fit("  " + (" · " if look.fancy else " | ").join(parts), width, fancy=look.fancy))]


def meter(status: Status, look: Look) -> Row:
    """The microphone's level as a bar; a mark where the gate opens."""
    filled = round((status.level_dbfs - METER_FLOOR) / -METER_FLOOR * METER_STEPS)
    mark = round((status.opens_at_dbfs - METER_FLOOR) / -METER_FLOOR * METER_STEPS)
    full, empty = ("█", "·") if look.fancy else ("#", ".")
    cells = "".join("|" if n == mark else full if n < filled else empty for n in range(METER_STEPS))
    return [("dim", "["), ("meter", cells), ("dim", "]")]


def rule(text: str, width: int, look: Look) -> Row:
    """A line between two parts."""
    dash = "─" if look.fancy else "-"
    start = f"{dash}{dash} {text} " if text else ""
    return [("dim", start + dash * max(0, width - len(start)))]


def friend(person: FriendStatus, width: int, look: Look, *, chosen: bool) -> Row:
    """One friend: name, what they do, how late they are heard, how loud they are for us, what quality they chose."""
    if person.unknown:
        word, style = "unknown", "dim"
    elif person.away:
        word, style = "away", "dim"
    elif person.talks:
        word, style = "talks", "talks"
    elif person.deafened:
        word, style = "deafened", "alarm"
    elif person.muted:
        word, style = "muted", "alarm"
    else:
        word, style = "silent", ""
    delay = "" if person.delay_ms is None or person.away else f"~{person.delay_ms:.0f} ms"
    if person.volume_db is None:
        loud = "muted by you"
    else:
        loud = f"{person.volume_db:+.0f} dB" if person.volume_db else ""
        if person.quality is not Quality.NORMAL:
            loud = f"{loud} {person.quality.value}".lstrip()
    columns = max(8, min(32, width - 2 - 10 - 9 - 14))
    mark = "? " if person.unknown else ""
    name = fit(mark + shown.isolated(shown.legible(person.name)), columns, fancy=look.fancy)
    return [
        ("chosen" if chosen else "", ("> " if chosen else "  ") + name),
        (style, " " + fit(word, 9)),
        ("dim", f"{delay:>8}  "),
        ("alarm" if person.volume_db is None else "", fit(loud, 12)),
    ]


def friends(status: Status, width: int, most: int, look: Look) -> list[Row]:
    """Everybody else, at most ``most`` rows of them, the chosen one among them."""
    people = status.friends
    if not people:
        return [[("dim", "  nobody else is here" if status.connected else "")]]
    chosen = min(look.chosen, len(people) - 1)
    first, most = _window(status, most, look)
    return [
        friend(person, width, look, chosen=number == chosen)
        for number, person in enumerate(people[first : first + most], first)
    ]


def top(status: Status, width: int, height: int, look: Look) -> list[Row]:
    """Everything above the news."""
    count = len(status.friends)
    gone = status.outage is not None and not status.connected
    people = f"in the room when the line broke ({count})" if gone else f"friends {count}"
    head = [
        title(status, width, look),
        *([own(status, width, look)] if status.outage is None else lost(status.outage, width, look)),
        *([state(status, width, look)] if status.outage is None and height >= TALL else []),
    ]
    most = max(1, height - len(head) - 2 - FEWEST_LINES)
    middle = rule(people + _hidden(status, most, look) if count else "", width, look)
    below = f"{look.newer} newer: page down" if look.newer else ""
    return [*head, middle, *friends(status, width, most, look), rule(below, width, look)]


def _hidden(status: Status, most: int, look: Look) -> str:
    """How many friends there is no row for, and who of them talks."""
    first, shown_here = _window(status, most, look)
    hidden = [person for n, person in enumerate(status.friends) if not first <= n < first + shown_here]
    talk = [shown.isolated(shown.legible(person.name)) for person in hidden if person.talks]
    return (
        f", {len(hidden)} not shown" * bool(hidden)
        + (f": {', '.join(talk)} talks" if len(talk) == 1 else "")
        + (f": {', '.join(talk)} talk" if len(talk) > 1 else "")
    )


def _window(status: Status, most: int, look: Look) -> tuple[int, int]:
    """The first friend who has a row, and how many have."""
    people = status.friends
    chosen = min(look.chosen, len(people) - 1)
    return max(0, min(chosen - most // 2, len(people) - most)), most


def help_rows(look: Look) -> list[Row]:
    """The keys."""
    return [[("key", fit(f" {key}", 10, fancy=look.fancy)), ("", f" {what}")] for key, what in KEYS]


def hint(width: int, look: Look, talk: str = "voice") -> Row:
    """The last line, while nothing is typed; ``talk`` says what the talk key does."""
    space = "space mute" if talk == "push-to-mute" else "space talk"
    words = (
        "m mute", "d deafen", space, "enter write", "? help", "q leave", "+- volume", "x mute friend",
    )  # fmt: skip
    line, shown = "", []
    for word in words:
        if len(line) + len(word) + 3 > width:
            break
        shown.append(word)
        line = "  ".join(shown)
    return [("title", fit(" " + line, width, fancy=look.fancy))]
