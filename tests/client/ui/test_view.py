"""What stands where on the screen."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from urwid.str_util import calc_width

from voicechat.client.call.status import FriendStatus, Status
from voicechat.client.network.outage import Outage
from voicechat.client.ui import rows, view
from voicechat.client.ui.rows import Look
from voicechat.media.quality import Quality

LOOK = Look()
BEN = FriendStatus(2, "Ben", False, False, False, False, 0.0, None)
STATUS = Status(
    connected=True,
    name="Ann",
    room="Raid",
    path="udp",
    talk="voice",
    key_held=False,
    muted=False,
    deafened=False,
    talking=False,
    level_dbfs=-120.0,
    opens_at_dbfs=-54.0,
    playout_ms=20.0,
    round_trip_ms=23.6,
    loss_percent=1.6,
    friends=[BEN],
    messages=[],
)


def words(row: rows.Row) -> str:
    return "".join(text for _, text in row)


def styles(row: rows.Row, word: str) -> set[str]:
    return {style for style, text in row if word in text}


def status(**changes: object) -> Status:
    return msgspec.structs.replace(STATUS, **changes)


def ben(**changes: object) -> FriendStatus:
    return msgspec.structs.replace(BEN, **changes)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_title_says_who_where_and_how(width: int) -> None:
    line = words(view.title(STATUS, width, LOOK))
    assert len(line) == width
    for word in ("Ann", "UDP", "24 ms", "loss 2 %"):
        assert word in line
    assert "loss" not in words(view.title(status(path="tcp"), width, LOOK)), "TCP loses nothing"
    assert "not connected" in words(view.title(status(connected=False), width, LOOK))


@pytest.mark.parametrize(
    ("changes", "word", "style"),
    [
        ({}, "silent", "dim"),
        ({"talking": True}, "talking", "talks"),
        ({"muted": True}, "MUTED", "alarm"),
        ({"muted": True, "deafened": True}, "DEAFENED", "alarm"),
        ({"talk": "push", "key_held": True}, "talk key down", "dim"),
        ({"talk": "push"}, "talk key up", "dim"),
        ({"talk": "push-to-mute"}, "mute key up", "dim"),
        ({"key_held": True}, "talk key down", "dim"),
    ],
)
def test_what_i_do_is_said_in_a_word_and_a_style(changes: dict[str, object], word: str, style: str) -> None:
    row = view.own(status(**changes), 60, LOOK)
    assert style in styles(row, word)
    assert len(words(row)) <= 60


@pytest.mark.parametrize(
    ("person", "word", "style"),
    [
        (ben(), "silent", ""),
        (ben(talks=True), "talks", "talks"),
        (ben(muted=True), "muted", "alarm"),
        (ben(muted=True, deafened=True), "deafened", "alarm"),
        (ben(away=True, talks=True), "away", "dim"),
        (ben(volume_db=None), "muted by you", "alarm"),
        (ben(volume_db=-6.0), "-6 dB", ""),
        (ben(volume_db=3.0), "+3 dB", ""),
        (ben(delay_ms=63.6), "~64 ms", "dim"),
        (ben(quality=Quality.HIGH), "high", ""),
        (ben(quality=Quality.SAVER, volume_db=-12.0), "-12 dB saver", ""),
    ],
)
def test_what_a_friend_does_is_said_in_a_word_and_a_style(person: FriendStatus, word: str, style: str) -> None:
    row = view.friend(person, 60, LOOK, chosen=False)
    assert style in styles(row, word)
    assert len(words(row)) <= 60


def test_the_chosen_one_has_a_mark() -> None:
    first, second = view.friends(status(friends=[BEN, ben(source=3, name="Cid")]), 60, 5, Look(chosen=1))
    assert words(first).startswith("  Ben")
    assert words(second).startswith("> Cid")


def test_the_meter_shows_the_level_and_where_the_gate_opens() -> None:
    def bar(level: float, opens: float = -54.0) -> str:
        return words(view.meter(status(level_dbfs=level, opens_at_dbfs=opens), Look(fancy=False)))

    assert bar(-120.0) == "[..|.................]"
    assert bar(-30.0) == "[##|#######..........]"
    assert bar(0.0) == "[##|#################]"
    assert bar(-30.0, -120.0) == "[##########..........]"


def test_of_many_friends_the_chosen_one_is_seen_and_some_news_too() -> None:
    people = [ben(source=n, name=f"friend {n}") for n in range(1, 31)]
    for place in range(30):
        rows = view.top(status(friends=people), 60, 14, Look(chosen=place))
        assert len(rows) <= 14 - view.FEWEST_LINES
        assert sum(words(row).startswith(f"> friend {place + 1} ") for row in rows) == 1


def test_an_empty_room_says_so() -> None:
    assert "nobody else is here" in "".join(map(words, view.top(status(friends=[]), 60, 14, LOOK)))
    assert "nobody" not in "".join(map(words, view.top(status(friends=[], connected=False), 60, 14, LOOK)))


def test_help_and_hint_fit_the_smallest_terminal() -> None:
    assert len(view.help_rows(LOOK)) <= 14
    assert max(len(words(row)) for row in view.help_rows(LOOK)) <= 60
    assert "? help" in words(view.hint(60, LOOK))
    assert "q leave" in words(view.hint(60, LOOK))


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co"]), max_size=40), st.integers(0, 50))
def test_a_text_is_fitted_to_any_width(text: str, width: int) -> None:
    fitted = rows.fit(text, width)
    assert calc_width(fitted, 0, len(fitted)) == width


@pytest.mark.parametrize("width", [60, 80])
def test_a_name_from_right_to_left_moves_nothing_beside_it(width: int) -> None:
    for name in ("مریم", "שרה " * 12):
        row = words(view.friend(ben(name=name), width, LOOK, chosen=False))
        assert (row.count("\u2068"), row.count("\u2069")) == (1, 1)
        assert row.index("\u2069") < row.index("silent")
        assert calc_width(row, 0, len(row)) == len(words(view.friend(BEN, width, LOOK, chosen=False)))
        line = words(view.title(status(name=name, room=name), width, LOOK))
        assert line.count("\u2068") == line.count("\u2069") > 0
        assert line.rindex("\u2069") < line.index("UDP")
    assert "\u2068" not in words(view.friend(BEN, width, LOOK, chosen=False))


def test_a_terminal_without_unicode_gets_ascii() -> None:
    plain = Look(fancy=False)
    long = status(name="x" * 90, friends=[ben(name="y" * 90)])
    rows = [*view.top(long, 60, 14, plain), view.hint(60, plain), *view.help_rows(plain)]
    assert all(words(row).isascii() for row in rows)


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 40))
def test_no_size_is_too_small(width: int, height: int, count: int) -> None:
    people = [ben(source=n, name="Zoë 日本語" * 3) for n in range(count)]
    assert view.top(status(friends=people), width, height, LOOK)
    assert view.hint(width, LOOK)


LOST = Outage("nobody listens there", 12.0, tries=7, next_s=3.2)
UNANSWERED = Outage("the server does not answer", 4.0)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("fancy", [True, False])
def test_an_outage_is_an_alarm_in_words_in_place_of_what_i_do(width: int, *, fancy: bool) -> None:
    people = [ben(unknown=True), ben(source=3, name="Čeněk", unknown=True, away=True)]
    rows = view.top(status(connected=False, outage=LOST, friends=people), width, 15, Look(fancy=fancy))
    lines = [words(row) for row in rows]
    assert all(calc_width(line, 0, len(line)) <= width for line in lines)
    assert rows[0][0][0] == "lost"
    assert "NOBODY HEARS YOU" in lines[0]
    assert lines[1].rstrip() == " ! Nobody listens there. Trying again in 4 s (try 7)."
    assert styles(rows[1], "Trying") == {"alarm"}
    assert lines[2] == "   Nobody hears you.   r try now   q leave"
    assert "in the room when the line broke (2)" in lines[3]
    for line in lines[4:6]:
        assert "? " in line
        assert "unknown" in line
        assert "away" not in line
    text = "".join(lines)
    for gone in ("UDP", "round trip", "silent", "talks"):
        assert gone not in text


def test_a_server_that_does_not_answer_is_another_alarm() -> None:
    lines = [words(row) for row in view.top(status(outage=UNANSWERED, friends=[ben(unknown=True)]), 60, 15, LOOK)]
    assert "NO ANSWER FOR 4 s" in lines[0]
    assert lines[1].rstrip() == " ! The server does not answer."
    assert lines[2] == "   Perhaps nobody hears you.   r connect anew   q leave"
    assert "friends 1" in lines[3]


def test_a_long_reason_is_cut_and_the_countdown_never() -> None:
    long = msgspec.structs.replace(LOST, why="x" * 100, tries=117, next_s=None)
    line = words(view.lost(long, 60, LOOK)[0])
    assert calc_width(line, 0, len(line)) == 60
    assert line.endswith(" Trying again now (try 117).")


@pytest.mark.parametrize(
    ("out", "back", "told"),
    [
        ("udp", None, "UDP ·"),
        ("udp", "udp", "UDP ·"),
        ("udp", "tcp", "UDP up, TCP down"),
        ("tcp", "udp", "TCP up, UDP down"),
    ],
)
def test_each_direction_is_shown_for_itself_where_they_differ(out: str, back: str | None, told: str) -> None:
    line = words(view.title(status(path=out, path_in=back), 80, LOOK))
    assert told in line
    assert ("up" in line) == ("down" in line) == ("up" in told)


@given(st.lists(st.integers(-7, 7), max_size=300))
def test_what_is_read_back_does_not_run_away_and_the_newest_come_again(steps: list[int]) -> None:
    """Each 0 is a new line; another number leafs so many back."""
    backlog, count = rows.Backlog(), 0
    for step in steps:
        before = backlog.shown()
        at_end = backlog.shown()[-1:] == ([[("", str(count - 1))]] if count else [])
        if step:
            backlog.leaf(step)
        else:
            backlog.add([("", str(count))])
            count += 1
            assert backlog.shown()[-1] == ([("", str(count - 1))] if at_end else before[-1])
        assert len(backlog.shown()) <= rows.MOST_NEWS
        assert bool(backlog.shown()) == bool(count), "one line at least is shown"
    backlog.newest()
    assert len(backlog.shown()) == min(count, rows.MOST_NEWS)


def text_of(**changes: object) -> list[str]:
    return [words(row) for row in view.top(status(**changes), 80, 24, LOOK)]


def test_what_stays_as_it_is_is_seen_where_there_is_room() -> None:
    lines = text_of(server="play.example.org", suppress="light", talk="push", microphone="USB Headset")
    for word in ("on play.example.org", "talk push", "suppress light", "mic USB Headset"):
        assert word in lines[2]
    assert "play.example.org" not in "".join(
        words(row) for row in view.top(status(server="play.example.org"), 60, 15, LOOK)
    )
    assert "NO LOUDSPEAKER" in text_of(lacks=["loudspeaker"])[2]


def test_whoever_has_no_microphone_sees_it_until_there_is_one() -> None:
    row = view.own(status(lacks=["microphone"]), 60, LOOK)
    assert "NO MICROPHONE: nobody hears you" in words(row)
    assert styles(row, "NO MICROPHONE") == {"alarm"}
    assert "NO MICROPHONE" not in words(view.own(status(lacks=["microphone"], muted=True), 60, LOOK))


def test_whoever_talks_while_muted_sees_it() -> None:
    row = view.own(status(muted=True, unheard=True), 60, LOOK)
    assert "MUTED" in words(row)
    assert "you talk, but are muted" in words(row)
    assert calc_width(words(row), 0, len(words(row))) <= 60


@pytest.mark.parametrize(
    ("trip", "loss", "word"),
    [
        (20.0, 0.0, "good"),
        (149.0, 2.9, "good"),
        (150.0, 0.0, "fair"),
        (20.0, 3.0, "fair"),
        (450.0, 0.0, "bad"),
        (20.0, 9.0, "bad"),
    ],
)
def test_the_connection_is_told_in_a_word_where_there_is_room(trip: float, loss: float, word: str) -> None:
    assert words(view.title(status(round_trip_ms=trip, loss_percent=loss), 80, LOOK)).endswith(f"· {word} ")
    assert word not in words(view.title(status(round_trip_ms=trip, loss_percent=loss), 60, LOOK))
    assert "good" not in words(view.title(status(round_trip_ms=None), 80, LOOK)), "nobody knows yet"


def test_friends_without_a_row_are_counted_and_who_of_them_talks_is_named() -> None:
    people = [ben(source=n, name=f"friend-{n}", talks=n > 8) for n in range(1, 11)]
    for count, height, told in (
        (10, 15, "friends 10, 2 not shown: friend-9, friend-10 talk"),
        (9, 15, "friends 9, 1 not shown: friend-9 talks"),
        (8, 15, "friends 8 ─"),
        (10, 24, "friends 10 ─"),
    ):
        lines = [words(row) for row in view.top(status(friends=people[:count]), 60, height, LOOK)]
        assert any(told in line for line in lines), lines
        missing = count - sum(line.lstrip("> ").startswith("friend-") for line in lines)
        assert (f"{missing} not shown" in "".join(lines)) == (missing > 0)


def test_lines_below_those_that_are_read_are_counted() -> None:
    assert "2 newer: page down" in words(view.top(STATUS, 60, 15, Look(newer=2))[-1])
    assert "newer" not in words(view.top(STATUS, 60, 15, LOOK)[-1])
    backlog = rows.Backlog()
    for number in range(9):
        backlog.add([("", str(number))])
    backlog.leaf(3)
    assert backlog.newer == 3
    backlog.add([("", "9")])
    assert backlog.newer == 4
    backlog.newest()
    assert backlog.newer == 0


def test_the_space_bar_is_named_after_what_it_does() -> None:
    assert "space talk" in words(view.hint(60, LOOK))
    assert "space mute" in words(view.hint(60, LOOK, "push-to-mute"))
