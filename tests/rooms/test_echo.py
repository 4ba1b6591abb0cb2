"""The echo test: what comes back, when, from whom, and how much of it is ever kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.format import silent_frame
from voicechat.media.packet import ME, MediaPacket
from voicechat.media.serial import wrap
from voicechat.rooms.echo import ECHO_DELAY, ECHO_NAME, MOST_WAITING, EchoConference
from voicechat.rooms.room import Member
from voicechat.testing import MemoryCodec

START = 65_500


def payload(value: float) -> bytes:
    frame = silent_frame()
    frame.fill(value)
    return MemoryCodec().encoder(0).encode(frame)


class Den:
    """Ann alone with Echo."""

    def __init__(self) -> None:
        self.conference = EchoConference(MemoryCodec(), 12_000, 0.0)
        self.ann: Member = self.conference.room.enter("Ann", 0.0)
        self.conference.add(self.ann.source)

    def say(self, at: float, value: float = 0.5, **fields: object) -> None:
        packet = MediaPacket(ME, wrap(START + int(at)), payload(value), **fields)  # type: ignore[arg-type]
        assert self.conference.arrived(self.ann.source, packet, at) == []

    def beat(self, first: int, last: int) -> dict[int, list[MediaPacket]]:
        """What comes back at each tick from ``first`` to ``last``."""
        back = {}
        for tick in range(first, last + 1):
            deliveries = self.conference.tick(tick)
            assert all(listeners == [self.ann.source] for listeners, _ in deliveries)
            if deliveries:
                back[tick] = [packet for _, packet in deliveries]
        return back


def test_a_packet_comes_back_a_second_later_from_echo() -> None:
    den = Den()
    assert [member.name for member in den.conference.room.members.values()] == [ECHO_NAME, "Ann"]
    assert not den.conference.mixing
    den.say(10, marker=True)
    assert den.conference.mixing
    back = den.beat(11, 10 + ECHO_DELAY)
    echoed = MediaPacket(den.conference.echo, wrap(START + 10), payload(0.5), marker=True)
    assert back == {10 + ECHO_DELAY: [echoed]}
    assert not den.conference.mixing


def test_a_frame_that_redundancy_brought_is_said_again_in_its_place() -> None:
    den = Den()
    den.say(0, 0.1, marker=True)
    den.say(2, 0.3, offset=1, redundant=payload(0.2))
    back = [packet for packets in den.beat(1, 2 + ECHO_DELAY).values() for packet in packets]
    assert [(packet.tick, packet.payload) for packet in back] == [
        (wrap(START + n), payload(value)) for n, value in enumerate((0.1, 0.2, 0.3))
    ]
    assert not any(packet.offset or packet.redundant for packet in back)


def test_nothing_is_said_to_one_who_is_away_or_does_not_listen() -> None:
    for change in ("away", "deafened"):
        den = Den()
        den.say(0, marker=True)
        setattr(den.ann, change, True)
        den.conference.changed(1.0)
        assert den.beat(1, 2 * ECHO_DELAY) == {}
        assert not den.conference.mixing, "it is not kept either"


def test_what_no_codec_made_is_refused() -> None:
    den = Den()
    with pytest.raises(WireError):
        den.conference.arrived(den.ann.source, MediaPacket(ME, 0, b"noise"), 0.0)


def test_one_who_falls_silent_without_a_word_has_stopped() -> None:
    den = Den()
    den.say(0, marker=True)
    assert den.conference.talking
    den.beat(1, ECHO_DELAY)
    assert not den.conference.talking


@given(st.lists(st.floats(0, 3), max_size=2 * MOST_WAITING))
def test_whatever_is_sent_it_comes_back_in_order_and_in_time_and_little_is_kept(gaps: list[float]) -> None:
    den, now, kept = Den(), 0.0, 0
    for number, gap in enumerate(gaps):
        before, now = int(now), now + gap
        for packets in den.beat(before + 1, int(now)).values():
            kept -= len(packets)
        den.say(now, marker=number == 0)
        kept = min(kept + 1, MOST_WAITING)
    back = den.beat(int(now) + 1, int(now) + ECHO_DELAY + 1)
    assert sum(map(len, back.values())) == kept <= MOST_WAITING
    assert all(packet.source == den.conference.echo for packets in back.values() for packet in packets)
    assert not den.conference.mixing
