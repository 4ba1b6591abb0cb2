"""What a participant chose between bytes and sound, and what that means for both directions."""

import enum
from typing import Final

LOWEST_BITRATE: Final = 8_000
"""bit/s; below it libopus falls to narrow band and 2.7 PESQ (measured at 8 000)."""

HIGHEST_BITRATE: Final = 64_000
"""bit/s; twice the rate at which PESQ no longer gains from more (4.4 at 32 000, measured)."""

NORMAL_BITRATE: Final = 12_000
"""bit/s unless the host says otherwise; 3.8 PESQ (measured), a third of what its packets take on the wire."""

HIGH_BITRATE: Final = 24_000
"""bit/s of HIGH unless the host says otherwise: 4.3 PESQ; above it more is hardly heard (4.4 at 32 000, measured)."""

MIX_COMPLEXITY: Final = 6
"""How hard Opus tries at a mix, 0 to 10, unless the host says otherwise. Four talkers are four encodes a tick in one
thread, and each is a quarter cheaper than at 8, a voice's; a mix loses 0.08 PESQ at 12 000 bit/s (3.13), none at 16 000
(3.8). 5 would halve them and lose 0.18 (measured)."""


class Quality(enum.Enum):
    """Chosen by each client; a word that only newer programs know counts as NORMAL."""

    SAVER = "saver"
    """As NORMAL, two frames a packet (`packing`): a third of the bytes less, for 20 ms of delay."""
    NORMAL = "normal"
    HIGH = "high"

    @classmethod
    def _missing_(cls, value: object) -> "Quality | None":
        return cls.NORMAL if isinstance(value, str) else None

    @property
    def pairs(self) -> bool:
        """Two frames go in a packet, to them and from them."""
        return self is Quality.SAVER

    def bitrate(self, normal: int, high: int) -> int:
        """bit/s of their voice and of the mixes made for them, on a server that gives these; HIGH is never less."""
        return max(normal, high) if self is Quality.HIGH else normal
