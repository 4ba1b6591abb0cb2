"""The tables. What is not in them cannot happen.

    server   NEW --Hello--> HELLO --Auth--> ENTERING --(seat)--> IN_ROOM --Bye--> CLOSED
             NEW --Resume--> ENTERING
    client   NEW --Reply--> HELLO --Welcome--> IN_ROOM --Bye--> CLOSED
             NEW --Resumed--> IN_ROOM        Refuse closes from NEW and HELLO

Any violation, and the end of the connection, lead to CLOSED from everywhere.
"""

import enum
from typing import Final

from voicechat.media.packet import MediaPacket
from voicechat.wire import messages as m
from voicechat.wire.handshake import Auth, Hello, Refuse, Reply, Resume, Resumed, Welcome


class State(enum.Enum):
    """Where a connection is in its life."""

    NEW = "new"
    HELLO = "hello"
    ENTERING = "entering"
    """The client has proved itself; the server looks for a seat."""
    IN_ROOM = "in room"
    CLOSED = "closed"


Table = dict[State, dict[type, State]]

SERVER: Final[Table] = {
    State.NEW: {Hello: State.HELLO, Resume: State.ENTERING},
    State.HELLO: {Auth: State.ENTERING},
    State.ENTERING: {},
    State.IN_ROOM: {
        MediaPacket: State.IN_ROOM,
        m.State: State.IN_ROOM,
        m.Gain: State.IN_ROOM,
        m.Text: State.IN_ROOM,
        m.Ping: State.IN_ROOM,
        m.Pong: State.IN_ROOM,
        m.Path: State.IN_ROOM,
        m.Report: State.IN_ROOM,
        m.Bye: State.CLOSED,
    },
    State.CLOSED: {},
}
"""What the server may receive from a client."""

CLIENT: Final[Table] = {
    State.NEW: {Reply: State.HELLO, Resumed: State.IN_ROOM, Refuse: State.CLOSED},
    State.HELLO: {Welcome: State.IN_ROOM, Refuse: State.CLOSED},
    State.IN_ROOM: {
        MediaPacket: State.IN_ROOM,
        m.Joined: State.IN_ROOM,
        m.Left: State.IN_ROOM,
        m.Away: State.IN_ROOM,
        m.Back: State.IN_ROOM,
        m.Talk: State.IN_ROOM,
        m.State: State.IN_ROOM,
        m.Text: State.IN_ROOM,
        m.Ping: State.IN_ROOM,
        m.Pong: State.IN_ROOM,
        m.Path: State.IN_ROOM,
        m.Report: State.IN_ROOM,
        m.Bye: State.CLOSED,
    },
    State.CLOSED: {},
}
"""What the client may receive from a server."""
