"""What happens in a room of real players, and which cue each of them hears."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.client.call.test_call import Evening
from tests.client.player import Player
from voicechat.client.call.cueing import Cueing, Cues
from voicechat.format import Samples
from voicechat.media.cues import IMPORTANT, Cue, sound
from voicechat.wire import messages


class Night(Evening):
    """Ann's cues are noted; Ben is there."""

    def __init__(self, chosen: frozenset[Cue] = frozenset(Cue)) -> None:
        super().__init__()
        self.heard: list[Cue] = []
        self.ann = Player("Ann", reactor=self.reactor)
        self.cueing = Cueing(self.reactor, self.ann.call, self.ann.controls, self._note, chosen)
        self.add(self.ann)
        self.ben = self.add(Player("Ben", reactor=self.reactor))
        self.wait(1.5)
        self.first, self.heard = self.heard, []

    def cut(self) -> None:
        """Ann's line breaks."""
        self.ann._taken = len(self.reactor.tcpClients)
        self.network.cut(0)

    def _note(self, samples: Samples) -> None:
        (cue,) = (cue for cue in Cue if np.array_equal(sound(cue), samples))
        self.heard.append(cue)


@pytest.fixture
def night() -> Night:
    return Night()


def test_entering_is_no_news_and_a_friend_who_comes_is(night: Night) -> None:
    assert night.first == [Cue.JOINED]


def test_what_i_do_is_heard_each_time(night: Night) -> None:
    for act in ("mute", "unmute", "deafen", "undeafen", "mute", "deafen", "undeafen", "unmute", "mute"):
        getattr(night.ann.controls, act)()
    assert [cue.name for cue in night.heard] == [
        *("MUTED", "UNMUTED", "DEAFENED", "UNDEAFENED", "MUTED", "DEAFENED", "UNDEAFENED", "UNMUTED", "MUTED")
    ]


def test_what_a_friend_does_to_themselves_is_none_of_my_cues(night: Night) -> None:
    night.ben.controls.mute()
    night.ben.says = 0.25
    night.wait(1.0)
    assert night.heard == []


def test_friends_who_come_at_once_are_one_cue(night: Night) -> None:
    for number in (11, 12, 13):
        night.ann.call.message_received(messages.Joined(messages.Participant(number, f"friend {number}")))
        night.wait(0.3)
    assert night.heard == [Cue.JOINED]
    night.wait(0.2)
    night.ann.call.message_received(messages.Joined(messages.Participant(14, "Fay")))
    assert night.heard == [Cue.JOINED, Cue.JOINED]


def test_a_friend_leaves(night: Night) -> None:
    night.ben.service.stop()
    night.wait(0.5)
    assert night.heard == [Cue.LEFT]


def test_a_friends_line_is_heard_and_my_own_is_not(night: Night) -> None:
    night.ann.controls.send_text("hello")
    night.wait(0.5)
    assert night.heard == []
    night.ben.controls.send_text("hello")
    night.wait(0.5)
    assert night.heard == [Cue.TEXT]


def test_a_connection_that_is_lost_and_back_is_two_cues_and_nobody_came(night: Night) -> None:
    night.cut()
    night.wait(0.05)
    assert night.heard == [Cue.LOST]
    night.wait(1.0)
    night.network.join(night.ann)
    night.wait(0.5)
    assert night.heard == [Cue.LOST, Cue.BACK]


def test_leaving_is_no_lost_connection(night: Night) -> None:
    night.cueing.stop()
    night.ann.service.stop()
    night.wait(0.5)
    assert not night.ann.call.connected
    assert night.heard == []


def test_a_server_that_does_not_answer_is_a_lost_connection(night: Night) -> None:
    night.ann.says = 0.25
    night.wait(0.5)
    settle: Callable[[], None] = night.network.settle
    night.network.settle = lambda: None  # type: ignore[method-assign]
    night.wait(4.0)
    assert night.heard == [Cue.LOST]
    night.network.settle = settle  # type: ignore[method-assign]
    night.wait(1.0)
    assert night.heard == [Cue.LOST, Cue.BACK]


def test_whoever_is_muted_and_talks_is_told_once(night: Night) -> None:
    night.ann.controls.mute()
    night.wait(1.0)
    night.ann.says = 0.25
    night.wait(0.3)
    assert night.heard == [Cue.MUTED], "a cough"
    night.wait(3.0)
    assert night.heard == [Cue.MUTED, Cue.UNHEARD]
    assert night.ann.controls.unheard
    assert "you talk, but are muted" in night.ann.err.getvalue()
    night.ann.controls.unmute()
    assert not night.ann.controls.unheard
    night.wait(1.0)
    night.ann.controls.mute()
    night.wait(1.0)
    assert night.heard[2:] == [Cue.UNMUTED, Cue.MUTED, Cue.UNHEARD], "each time anew"


def test_noise_while_muted_is_no_talk(night: Night) -> None:
    night.ann.controls.mute()
    for _ in range(20):
        night.ann.says = 0.25
        night.wait(0.1)
        night.ann.says = 0.0
        night.wait(0.3)
    assert night.heard == [Cue.MUTED]


def test_whoever_is_deafened_has_quiet_but_for_what_is_important(night: Night) -> None:
    night.ann.controls.deafen()
    night.add(Player("Cid", reactor=night.reactor))
    night.ben.controls.send_text("hello")
    night.wait(1.0)
    night.cut()
    night.wait(0.1)
    assert night.heard == [Cue.DEAFENED, Cue.LOST]
    night.wait(1.0)
    night.network.join(night.ann)
    night.wait(0.5)
    night.ann.controls.undeafen()
    assert night.heard[2:] == [Cue.BACK, Cue.UNDEAFENED], "and what was missed is no news"


def test_cues_are_chosen() -> None:
    assert Cues.ON.those(audible=False) == Cues.AUTO.those(audible=True) == set(Cue)
    assert Cues.OFF.those(audible=True) == Cues.AUTO.those(audible=False) == set()
    assert Cues.IMPORTANT.those(audible=False) == IMPORTANT
    night = Night(IMPORTANT)
    assert night.first == []
    night.ann.controls.mute()
    assert night.heard == [Cue.MUTED]


def test_nothing_of_it_is_sent(night: Night) -> None:
    """Cues go to the loudspeaker behind all that the call counts and records of itself."""
    night.cueing._play = night.ann.bridge.cue
    night.forget()
    night.ann.controls.mute()
    night.ann.controls.unmute()
    night.wait(0.5)
    ann, ben = night.players
    assert any(ann.played), "no block but the cue's"
    assert not any(ben.played)
    assert ann.call.uplink.sent == 0
