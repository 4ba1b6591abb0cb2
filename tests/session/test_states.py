"""The tables: what each side may hear from the other, and nothing that the other never says."""

import pytest

from voicechat.media.packet import MediaPacket
from voicechat.session.states import CLIENT, SERVER, SessionState, Table
from voicechat.wire import control, messages
from voicechat.wire.handshake import Auth, Hello, Refuse, Reply, Resume, Resumed, SealedWelcome

ONLY_SERVERS_SAY = {
    messages.Welcome,
    messages.Joined,
    messages.Left,
    messages.Away,
    messages.Back,
    messages.Talk,
    messages.Accept,
}
ONLY_CLIENTS_SAY = {messages.Gain, messages.Request, messages.Offer}
ONLY_INSIDE_THE_LOGIN = {messages.Welcome, messages.Request}


@pytest.mark.parametrize("table", [SERVER, CLIENT], ids=["server", "client"])
def test_every_state_stands_in_the_table_and_nothing_comes_after_the_end(table: Table) -> None:
    assert not table[SessionState.CLOSED]
    assert {following for row in table.values() for following in row.values()} <= set(SessionState)


def test_the_ways_in_are_those_of_the_diagram() -> None:
    assert SERVER[SessionState.NEW] == {Hello: SessionState.HELLO, Resume: SessionState.ENTERING}
    assert SERVER[SessionState.HELLO] == {Auth: SessionState.ENTERING}
    assert SERVER[SessionState.ENTERING] == {}
    assert CLIENT[SessionState.NEW] == {
        Reply: SessionState.HELLO,
        Resumed: SessionState.IN_ROOM,
        Refuse: SessionState.CLOSED,
    }
    assert CLIENT[SessionState.HELLO] == {SealedWelcome: SessionState.IN_ROOM, Refuse: SessionState.CLOSED}


@pytest.mark.parametrize(
    ("table", "never"), [(SERVER, ONLY_SERVERS_SAY), (CLIENT, ONLY_CLIENTS_SAY)], ids=["server", "client"]
)
def test_in_the_room_each_hears_what_the_other_may_say(table: Table, never: set[type]) -> None:
    heard = set(control.KINDS.values()) - never - ONLY_INSIDE_THE_LOGIN
    assert table[SessionState.IN_ROOM].keys() == heard | {MediaPacket}
    for said, following in table[SessionState.IN_ROOM].items():
        assert following is (SessionState.CLOSED if said is messages.Bye else SessionState.IN_ROOM)
