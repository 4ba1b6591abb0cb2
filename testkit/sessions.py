"""What a string means to a session that is driven by hand, in the handshake as in the room."""

from voicechat.session.client import ClientSession
from voicechat.session.server import ServerSession
from voicechat.session.states import SessionState


def received(session: ClientSession | ServerSession, string: bytes) -> object:
    """The value in a string that came; as `Peer` does it, without its limits."""
    if session.state is SessionState.IN_ROOM:
        return session.read(session.opened(string))
    return session.receive(string)
