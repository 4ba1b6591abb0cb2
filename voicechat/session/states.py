"""The tables. What is not in them cannot happen.

    server   NEW --Hello--> HELLO --Auth--> ENTERING --(seat)--> IN_ROOM --Bye--> CLOSED
             NEW --Resume--> ENTERING
    client   NEW --Reply--> HELLO --SealedWelcome--> IN_ROOM --Bye--> CLOSED
             NEW --Resumed--> IN_ROOM        Refuse closes from NEW and HELLO

Any violation, and the end of the connection, lead to CLOSED from everywhere.
"""

import enum
from typing import Final

from voicechat.media.packet import MediaPacket
from voicechat.wire import messages as m
from voicechat.wire.handshake import Auth, Hello, Refuse, Reply, Resume, Resumed, SealedWelcome


class SessionState(enum.Enum):
    """Where a connection is in its life."""

    __hash__ = object.__hash__  # in C: each packet looks its state up, and Enum's own hash is a call of Python's

    NEW = "new"
    HELLO = "hello"
    ENTERING = "entering"
    """The client has proved itself; the server looks for a seat."""
    IN_ROOM = "in room"
    CLOSED = "closed"


Table = dict[SessionState, dict[type, SessionState]]

SERVER: Final[Table] = {
    SessionState.NEW: {Hello: SessionState.HELLO, Resume: SessionState.ENTERING},
    SessionState.HELLO: {Auth: SessionState.ENTERING},
    SessionState.ENTERING: {},
    SessionState.IN_ROOM: {
        MediaPacket: SessionState.IN_ROOM,
        m.State: SessionState.IN_ROOM,
        m.Gain: SessionState.IN_ROOM,
        m.Text: SessionState.IN_ROOM,
        m.Ping: SessionState.IN_ROOM,
        m.Pong: SessionState.IN_ROOM,
        m.Path: SessionState.IN_ROOM,
        m.Report: SessionState.IN_ROOM,
        m.Offer: SessionState.IN_ROOM,
        m.Bye: SessionState.CLOSED,
    },
    SessionState.CLOSED: {},
}
"""What the server may receive from a client."""

CLIENT: Final[Table] = {
    SessionState.NEW: {Reply: SessionState.HELLO, Resumed: SessionState.IN_ROOM, Refuse: SessionState.CLOSED},
    SessionState.HELLO: {SealedWelcome: SessionState.IN_ROOM, Refuse: SessionState.CLOSED},
    SessionState.IN_ROOM: {
        MediaPacket: SessionState.IN_ROOM,
        m.Joined: SessionState.IN_ROOM,
        m.Left: SessionState.IN_ROOM,
        m.Away: SessionState.IN_ROOM,
        m.Back: SessionState.IN_ROOM,
        m.Talk: SessionState.IN_ROOM,
        m.State: SessionState.IN_ROOM,
        m.Text: SessionState.IN_ROOM,
        m.Ping: SessionState.IN_ROOM,
        m.Pong: SessionState.IN_ROOM,
        m.Path: SessionState.IN_ROOM,
        m.Report: SessionState.IN_ROOM,
        m.Accept: SessionState.IN_ROOM,
        m.Bye: SessionState.CLOSED,
    },
    SessionState.CLOSED: {},
}
"""What the client may receive from a server."""
