"""Figures: what a call counts, and what --stats writes of it. The keys never change: programs read them."""

from typing import Any, Protocol

from voicechat.client.audio.bridge import AudioBridge
from voicechat.client.call.friends import MOST_NAMES, Friends
from voicechat.client.call.measured import Measured
from voicechat.client.call.ways import Ways
from voicechat.format import TICK_MS
from voicechat.media.hearing import Hearing
from voicechat.media.packet import MIX


class IRecording(Protocol):
    """A source or sink with a start stamp."""

    start_ns: int | None


class FramesByName:
    """Frames heard, by name. Of a server that makes up names without end, the first ones have a count."""

    def __init__(self) -> None:
        self.frames: dict[str, int] = {}
        self.left_out = 0
        """Frames of the other names."""

    def add(self, name: str, frames: int) -> None:
        """So many more."""
        if name in self.frames or len(self.frames) < MOST_NAMES:
            self.frames[name] = self.frames.get(name, 0) + frames
        else:
            self.left_out += frames


class CallFigures:
    """What one call counts, over all its connections."""

    def __init__(self, friends: Friends, hearing: Hearing, bridge: AudioBridge, ways: Ways, measured: Measured) -> None:
        self._friends = friends
        self._hearing = hearing
        self._bridge = bridge
        self._ways = ways
        self._measured = measured
        self._heard = FramesByName()

    def count_mixed(self) -> None:
        """A frame of the mix came: one for each who talks."""
        for name in self._friends.talking:
            self._heard.add(name, 1)

    def settle(self, source: int) -> None:
        """Count a source's frames for its name, before the number may be somebody else's."""
        if source != MIX:
            frames = self._hearing.heard.pop(source, 0)
            if frames:
                self._heard.add(self._friends.name(source), frames)

    def settle_all(self) -> None:
        """The same for every source."""
        for source in list(self._hearing.heard):
            self.settle(source)

    def written(
        self,
        recorded_in: IRecording,
        recorded_out: IRecording,
        *,
        frames_sent: int,
        reconnects: int,
        password_logins: int,
    ) -> dict[str, Any]:
        """What --stats writes."""
        self.settle_all()
        traffic, round_trip = self._measured.traffic(), self._measured.round_trip
        counts = self._hearing.counts
        return {
            "packets": {"in": traffic["packets_in"], "out": traffic["packets_out"]},
            "bytes": {"in": traffic["bytes_in"], "out": traffic["bytes_out"]},
            "frames": {
                "sent": frames_sent,
                "played": counts.played,
                "recovered": counts.recovered,
                "concealed": counts.concealed,
                "silent": counts.silent,
                "late": counts.late,
                "dropped": counts.dropped,
            },
            "playout_delay_ms": round(self._hearing.held * TICK_MS, 1),
            "underruns": self._bridge.underruns,
            "overruns": self._bridge.overruns,
            "round_trip_ms": None if round_trip is None else round(round_trip * 1000, 1),
            "reconnects": reconnects,
            "pakes": password_logins,
            "path": self._ways.out,
            "path_in": self._ways.back,
            "wav": {"in_start_ns": recorded_in.start_ns, "out_start_ns": recorded_out.start_ns},
            "sources": dict(self._heard.frames),
            "sources_left_out": self._heard.left_out,
            "passed_over": traffic["passed_over"] + self._hearing.passed_over,
        }
