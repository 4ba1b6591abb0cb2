"""The server over WebSockets: the behaviour of every carriage."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.server.behaviour import Behaviour
from tests.server.browsers import BrowserFriend


class WebSocketTests(Behaviour, SynchronousTestCase):
    """Everything that holds over TCP and UDP."""

    def connect(self, name: str, **rest: Any) -> BrowserFriend:
        """A friend whose request is on its way, and HELLO, or RESUME, behind it."""
        return BrowserFriend(self.house, name, **rest).begin()
