"""The tables: what each side may hear from the other, and nothing that the other never says."""

import pytest

from voicechat.media.packet import MediaPacket
from voicechat.session.states import CLIENT, SERVER, State, Table
from voicechat.wire import control, messages
from voicechat.wire.handshake import Auth, Hello, Refuse, Reply, Resume, Resumed, Welcome

ONLY_SERVERS_SAY = {
    messages.Welcome,
    messages.Joined,
    messages.Left,
    messages.Away,
    messages.Back,
    messages.Talk,
}
ONLY_CLIENTS_SAY = {messages.Gain, messages.Request}
ONLY_INSIDE_THE_LOGIN = {messages.Welcome, messages.Request}


@pytest.mark.parametrize("table", [SERVER, CLIENT], ids=["server", "client"])
def test_every_state_stands_in_the_table_and_nothing_comes_after_the_end(table: Table) -> None:
    assert not table[State.CLOSED]
    assert {following for row in table.values() for following in row.values()} <= set(State)


def test_the_ways_in_are_those_of_the_diagram() -> None:
    assert SERVER[State.NEW] == {Hello: State.HELLO, Resume: State.ENTERING}
    assert SERVER[State.HELLO] == {Auth: State.ENTERING}
    assert SERVER[State.ENTERING] == {}
    assert CLIENT[State.NEW] == {Reply: State.HELLO, Resumed: State.IN_ROOM, Refuse: State.CLOSED}
    assert CLIENT[State.HELLO] == {Welcome: State.IN_ROOM, Refuse: State.CLOSED}


@pytest.mark.parametrize(
    ("table", "never"), [(SERVER, ONLY_SERVERS_SAY), (CLIENT, ONLY_CLIENTS_SAY)], ids=["server", "client"]
)
def test_in_the_room_each_hears_what_the_other_may_say(table: Table, never: set[type]) -> None:
    heard = set(control.KINDS.values()) - never - ONLY_INSIDE_THE_LOGIN
    assert table[State.IN_ROOM].keys() == heard | {MediaPacket}
    for said, following in table[State.IN_ROOM].items():
        assert following is (State.CLOSED if said is messages.Bye else State.IN_ROOM)
