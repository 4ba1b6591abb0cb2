"""The outbox: control in order and complete, media young or gone, nothing without a bound."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicechat.session.outbox import (
    MOST_CONTROL,
    MOST_CONTROL_BYTES,
    MOST_MEDIA,
    MOST_TEXTS,
    OLDEST_MEDIA,
    Outbox,
    OutboxFull,
    Topic,
    subject,
)
from voicechat.wire import control
from voicechat.wire.messages import (
    Away,
    Back,
    Bye,
    Gain,
    Joined,
    Left,
    Message,
    Participant,
    Ping,
    State,
    Talk,
    Text,
)


def drained(outbox: Outbox, now: float) -> list[bytes]:
    """All that is left."""
    packets = []
    while (packet := outbox.take(now)) is not None:
        packets.append(packet)
    return packets


def test_control_goes_first_and_each_in_its_order() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put_media(b"m%d" % number, 0.0)
        outbox.put_control(b"c%d" % number)
    assert len(outbox) == 6
    assert drained(outbox, 0.02) == [b"c0", b"c1", b"c2", b"m0", b"m1", b"m2"]
    assert not len(outbox)
    assert outbox.take(0.02) is None


def test_of_too_much_media_the_oldest_gives_way() -> None:
    outbox = Outbox()
    for number in range(MOST_MEDIA + 3):
        outbox.put_media(bytes([number]), float(number) / 1000)
    assert drained(outbox, 0.02) == [bytes([number]) for number in range(3, MOST_MEDIA + 3)]
    assert outbox.dropped == 3


def test_old_words_are_thrown_away() -> None:
    outbox = Outbox()
    outbox.put_media(b"old", 10.0)
    outbox.put_media(b"new", 10.04)
    assert outbox.take(10.0 + OLDEST_MEDIA + 0.01) == b"new"
    assert outbox.dropped == 1


def test_one_who_takes_no_control_is_to_be_cut() -> None:
    outbox = Outbox()
    for number in range(MOST_CONTROL):
        outbox.put_control(b"%d" % number)
    with pytest.raises(OutboxFull):
        outbox.put_control(b"one more")
    assert len(drained(outbox, 0.0)) == MOST_CONTROL
    outbox.put_control(b"room again")


@given(st.lists(st.integers(1, 4000), max_size=40))
def test_control_is_bounded_by_its_bytes_too(sizes: list[int]) -> None:
    outbox, waiting = Outbox(), 0
    for size in sizes:
        if waiting + size > MOST_CONTROL_BYTES:
            with pytest.raises(OutboxFull):
                outbox.put_control(bytes(size))
        else:
            outbox.put_control(bytes(size))
            waiting += size
    assert sum(map(len, drained(outbox, 0.0))) == waiting
    outbox.put_control(bytes(MOST_CONTROL_BYTES))


def put(outbox: Outbox, *messages: Message) -> None:
    """As a connection does."""
    for message in messages:
        outbox.put_control(control.encode(message), subject(message))


def left_to_send(outbox: Outbox) -> list[Message | None]:
    """All that is left, understood."""
    return [control.decode(packet) for packet in drained(outbox, 0.0)]


def somebody(source: int) -> Joined:
    return Joined(Participant(source, f"friend {source}"))


def test_who_came_and_went_while_nothing_was_sent_was_never_there() -> None:
    outbox = Outbox()
    put(outbox, Text("before", 1), somebody(3), State(muted=True, source=3), Talk(3, talking=True))
    put(outbox, Text("I", 3), Away(3), Text("after", 1), Left(3))
    assert left_to_send(outbox) == [Text("before", 1), Text("after", 1)]


def test_who_was_told_of_is_told_to_have_gone_and_what_they_said_before() -> None:
    outbox = Outbox()
    put(outbox, State(muted=True, source=3), Text("good night", 3), Talk(3, talking=False), Left(3))
    assert left_to_send(outbox) == [Text("good night", 3), Left(3)]


def test_a_number_that_is_given_again_is_another_ones() -> None:
    outbox = Outbox()
    put(outbox, Left(3), somebody(3), State(deafened=True, source=3))
    put(outbox, Left(3), somebody(3))
    assert left_to_send(outbox) == [Left(3), somebody(3)]


def test_of_news_about_one_thing_the_last_counts() -> None:
    outbox = Outbox()
    put(outbox, Talk(2, talking=True), State(muted=True, source=1), Gain(4, 0.5), Away(2), State(source=2))
    put(outbox, Talk(2, talking=False), State(source=1), Gain(4, 2.0), Back(2))
    assert left_to_send(outbox) == [State(source=2), Talk(2, talking=False), State(source=1), Gain(4, 2.0), Back(2)]


def test_one_who_comes_and_goes_without_end_fills_nobodys_outbox() -> None:
    outbox = Outbox()
    for turn in range(5000):
        source = 2 + turn % 249
        put(outbox, somebody(source), *(Text("x" * 500, source) for _ in range(5)), Left(source))
    assert not len(outbox)


def test_of_a_flood_of_text_the_last_lines_are_kept_and_ones_own_words_always() -> None:
    outbox = Outbox()
    put(outbox, *(Text(f"{n}", 1 + n % 3) for n in range(100)), Text("mine"))
    put(outbox, *(Text(f"{n}", 4) for n in range(100, 105)), Bye("over"))
    kept = [Text(f"{n}", 1 + n % 3) for n in range(95, 100)]
    assert left_to_send(outbox) == [*kept, Text("mine"), *(Text(f"{n}", 4) for n in range(100, 105)), Bye("over")]


def test_a_full_house_may_change_its_mind_and_an_answer_finds_its_place() -> None:
    """All 250 at once, and a ping: more than 64 packets, of which none is the peer's fault."""
    outbox = Outbox()
    for _ in range(3):
        for source in range(1, 251):
            put(outbox, State(muted=True, source=source), Talk(source, talking=True), Away(source))
    put(outbox, Ping(1))
    assert len(outbox) == 3 * 250 + 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 2]),
        st.sampled_from(["comes or goes", "comes or goes", "take", "state", "talk", "line", "text"]),
        st.booleans(),
    ),
    max_size=60,
)


def look(picture: dict[int, dict[str, object]], message: Message | None) -> None:
    """What a client makes of a message; of one about a stranger nothing."""
    match message:
        case Joined(person):
            picture[person.source] = {"name": person.name, "away": False, "state": (False, False), "talks": False}
        case Left(source):
            picture.pop(source, None)
        case Away(source) | Back(source) if source in picture:
            picture[source]["away"] = isinstance(message, Away)
        case State(muted, deafened, source) if source in picture:
            picture[source]["state"] = muted, deafened
        case Talk(source, talking) if source in picture:
            picture[source]["talks"] = talking


def said(step: tuple[int, str, bool], here: set[int], serial: int) -> Message:
    """What the server tells of a step of a friend's, who comes with whichever is the first; ``here`` are in."""
    source, what, yes = step
    if source not in here:
        here.add(source)
        return Joined(Participant(source, f"friend {serial}"))
    if what == "comes or goes":
        here.remove(source)
        return Left(source)
    if what == "line":
        return Away(source) if yes else Back(source)
    if what == "text":
        return Text(f"line {serial}", source)
    return State(muted=yes, source=source) if what == "state" else Talk(source, yes)


@settings(max_examples=500)
@given(STEPS)
def test_who_was_slow_ends_with_the_same_picture_of_the_room(steps: list[tuple[int, str, bool]]) -> None:
    """Whatever friends do, and whenever the line takes something: bounded by their number, in order, and all true."""
    outbox, here = Outbox(), set[int]()
    put_in: list[bytes] = []
    taken: list[bytes] = []
    for serial, step in enumerate(steps):
        if step[1] == "take":
            taken += filter(None, [outbox.take(0.0)])
        else:
            message = said(step, here, serial)
            put_in.append(control.encode(message))
            put(outbox, message)
        news = len(Topic) - 2  # texts are counted for themselves, and nobody has gains here
        assert len(outbox) <= news * 2 + MOST_TEXTS
    taken += drained(outbox, 0.0)
    true: dict[int, dict[str, object]] = {}
    seen: dict[int, dict[str, object]] = {}
    for packet in put_in:
        look(true, control.decode(packet))
    for packet in taken:
        look(seen, control.decode(packet))
    assert seen == true
    rest = iter(put_in)
    assert all(packet in rest for packet in taken), "in the order in which it was put, with something left out"


class AnyOrder(RuleBasedStateMachine):
    """The outbox beside two plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.now = 0.0
        self.serial = 0
        self.control: deque[bytes] = deque()
        self.media: deque[tuple[float, bytes]] = deque()
        self.put = 0
        self.taken = 0

    def packet(self) -> bytes:
        self.serial += 1
        return self.serial.to_bytes(4, "big")

    @rule(seconds=st.floats(0, 0.08))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: len(self.control) < MOST_CONTROL)
    @rule()
    def put_control(self) -> None:
        packet = self.packet()
        self.control.append(packet)
        self.outbox.put_control(packet)

    @rule(count=st.integers(1, 8))
    def put_media(self, count: int) -> None:
        for _ in range(count):
            packet = self.packet()
            self.media.append((self.now, packet))
            self.outbox.put_media(packet, self.now)
            self.put += 1
        while len(self.media) > MOST_MEDIA:
            self.media.popleft()

    @rule()
    def take(self) -> None:
        packet = self.outbox.take(self.now)
        if self.control:
            assert packet == self.control.popleft()
            return
        young = [p for at, p in self.media if self.now - at <= OLDEST_MEDIA]
        assert packet == (young[0] if young else None)
        if packet is not None:
            self.taken += 1
            while self.media.popleft()[1] != packet:
                pass
        else:
            self.media.clear()

    @invariant()
    def nothing_is_unbounded_and_nothing_unaccounted(self) -> None:
        waiting = len(self.outbox) - len(self.control)
        assert 0 <= waiting <= MOST_MEDIA
        assert self.put == self.taken + waiting + self.outbox.dropped


TestAnyOrder = AnyOrder.TestCase
