"""Mute, deafen and the key: the tables."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.call.transmit import CHANGES, KEY, MuteState, TransmitMode, Wish, after, gate_mode
from voicechat.media.gate import GateMode


class Flags:
    """The same by three flags."""

    def __init__(self) -> None:
        self.muted = self.deafened = self.muted_before = False

    def wish(self, wish: Wish) -> None:
        """What a player asks for."""
        if wish is Wish.MUTE:
            self.muted = self.muted_before = True
        elif wish is Wish.UNMUTE:
            self.muted = self.deafened = False
        elif wish is Wish.DEAFEN and not self.deafened:
            self.muted_before = self.muted
            self.muted = self.deafened = True
        elif wish is Wish.UNDEAFEN and self.deafened:
            self.muted, self.deafened = self.muted_before, False


@given(st.lists(st.sampled_from(Wish)))
def test_whatever_is_wished_the_state_is_what_three_flags_would_say(wishes: list[Wish]) -> None:
    state, flags = MuteState.ACTIVE, Flags()
    for wish in wishes:
        state = after(state, wish)
        flags.wish(wish)
        assert (state.muted, state.deafened) == (flags.muted, flags.deafened)


def test_a_wish_that_is_fulfilled_has_no_arrow_and_none_changes_twice() -> None:
    assert set(CHANGES) == set(MuteState)
    for state, row in CHANGES.items():
        assert all(to is not state for to in row.values())
    for state, wish in product(MuteState, Wish):
        assert after(after(state, wish), wish) is after(state, wish)


@pytest.mark.parametrize("mode", TransmitMode)
@pytest.mark.parametrize("state", MuteState)
@pytest.mark.parametrize("held", [False, True])
def test_muted_is_muted_and_else_the_key_decides(mode: TransmitMode, state: MuteState, held: bool) -> None:
    expected = KEY[mode][held] if state is MuteState.ACTIVE else GateMode.MUTED
    assert gate_mode(mode, state, key_held=held) is expected
