"""What of the player is sent: mute and deafen, and the key. Pure, in two tables.

Muted: nothing of us is sent. Deafened: nothing is sent to us, nothing is played, and we are muted, too; afterwards it
is as it was before, unless mute was wished meanwhile. `CHANGES` has each wish and what comes of it.

The key is held or not; what it does depends on the `TransmitMode`. `KEY` has it. Muted is muted, whatever the key does.
"""

from enum import Enum
from typing import Final

from voicechat.media.gate import GateMode


class TransmitMode(Enum):
    """What opens the microphone."""

    VOICE = "voice"
    """Voice does; the key opens it at once."""
    PUSH = "push"
    """The key alone does: push to talk."""
    PUSH_TO_MUTE = "push-to-mute"
    """Voice does, but not while the key is held."""


class MuteState(Enum):
    """What the player has turned off."""

    ACTIVE = "heard, and listens"
    MUTED = "muted"
    DEAFENED = "deafened, and muted for as long"
    DEAFENED_AND_MUTED = "deafened, and muted afterwards, too"

    @property
    def muted(self) -> bool:
        """Nothing of us is sent."""
        return self is not MuteState.ACTIVE

    @property
    def deafened(self) -> bool:
        """Nothing is sent to us."""
        return self in (MuteState.DEAFENED, MuteState.DEAFENED_AND_MUTED)


class Wish(Enum):
    """What a player may ask for."""

    MUTE = "mute"
    UNMUTE = "unmute"
    DEAFEN = "deafen"
    UNDEAFEN = "undeafen"


CHANGES: Final[dict[MuteState, dict[Wish, MuteState]]] = {
    MuteState.ACTIVE: {Wish.MUTE: MuteState.MUTED, Wish.DEAFEN: MuteState.DEAFENED},
    MuteState.MUTED: {Wish.UNMUTE: MuteState.ACTIVE, Wish.DEAFEN: MuteState.DEAFENED_AND_MUTED},
    MuteState.DEAFENED: {
        Wish.MUTE: MuteState.DEAFENED_AND_MUTED,
        Wish.UNMUTE: MuteState.ACTIVE,
        Wish.UNDEAFEN: MuteState.ACTIVE,
    },
    MuteState.DEAFENED_AND_MUTED: {Wish.UNMUTE: MuteState.ACTIVE, Wish.UNDEAFEN: MuteState.MUTED},
}
"""What a wish leads to; one that has no place in a row is fulfilled already."""

KEY: Final[dict[TransmitMode, tuple[GateMode, GateMode]]] = {
    TransmitMode.VOICE: (GateMode.VOICE, GateMode.OPEN),
    TransmitMode.PUSH: (GateMode.SHUT, GateMode.OPEN),
    TransmitMode.PUSH_TO_MUTE: (GateMode.VOICE, GateMode.MUTED),
}
"""The gate's mode while the key is up, and while it is held."""


def after(state: MuteState, wish: Wish) -> MuteState:
    """The state that a wish leads to."""
    return CHANGES[state].get(wish, state)


def gate_mode(mode: TransmitMode, state: MuteState, *, key_held: bool) -> GateMode:
    """What the gate shall do."""
    return GateMode.MUTED if state.muted else KEY[mode][key_held]
