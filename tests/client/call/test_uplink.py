"""A voice on its way out: where its spurts begin and end, and that nothing is coded for nobody."""

import pytest

from tests.client.player import Host, Player, pass_time
from voicechat.media.packet import MediaPacket
from voicechat.wire import messages


@pytest.fixture
def ann() -> Player:
    player = Player()
    pass_time([player], 0.05)
    player.service.start()
    return player


def media_of(host: Host) -> list[MediaPacket]:
    return [packet for packet in host.received() if isinstance(packet, MediaPacket)]


def test_a_spurt_has_a_beginning_an_end_and_a_packet_for_each_frame_between(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.says = 0.25
    pass_time([ann], 1.0)
    ann.says = 0.0
    pass_time([ann], 1.5)
    packets = media_of(host)
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert [packet.end for packet in packets] == [False] * (len(packets) - 1) + [True]
    ticks = [packet.tick for packet in packets]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert ann.call.uplink.sent == len(packets) - 1


@pytest.mark.parametrize(
    "news",
    [messages.Away(2), messages.State(muted=True, deafened=True, source=2), messages.Left(2)],
)
def test_a_spurt_ends_when_nobody_listens_any_more_and_goes_on_when_somebody_does(
    ann: Player, news: messages.Message
) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.says = 0.25
    pass_time([ann], 0.5)
    host.tell(news)
    pass_time([ann], 0.2)
    assert media_of(host)[-1].end
    sent = ann.call.uplink.sent
    pass_time([ann], 1.0)
    assert media_of(host) == []
    assert ann.call.uplink.sent == sent, "nothing is coded for nobody"
    host.tell(messages.Joined(messages.Participant(3, "Cid")))
    pass_time([ann], 0.2)
    assert media_of(host)[0].marker


def test_a_new_connection_hears_the_beginning_of_a_spurt_first(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.says = 0.25
    pass_time([ann], 0.5)
    host.lose()
    sent = ann.call.uplink.sent
    pass_time([ann], 2.0)
    assert ann.call.uplink.sent == sent
    host = ann.accepted()
    host.let_in()
    pass_time([ann], 0.2)
    assert media_of(host)[0].marker


def test_so_it_does_where_the_microphone_gave_nothing_between_two_connections(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    ann.says = 0.25
    pass_time([ann], 0.5)
    assert not media_of(host)[-1].end
    host.lose()
    ann.reactor.advance(2.0)
    host = ann.accepted()
    host.let_in()
    pass_time([ann], 0.1)
    assert media_of(host)[0].marker


def test_only_beginning_and_ending_to_talk_is_a_change(ann: Player) -> None:
    host: Host = ann.accepted()
    host.let_in()
    changes: list[bool] = []
    ann.controls.watch(lambda: changes.append(ann.call.talking))
    for _ in range(2):
        ann.says = 0.25
        pass_time([ann], 0.2)
        ann.says = 0.0
        pass_time([ann], 0.6)
    assert changes == [True, False, True, False]
