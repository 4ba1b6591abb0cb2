"""Counters and gauges, and their names."""

import re
from pathlib import Path

from tests.server.house import House, TcpFriend
from voicechat.server.metrics import Histogram, Labelled, Login, Metrics, PacketPath, Presence, Sample

DOC = Path(__file__).parents[2] / "docs" / "operating.md"
BASE_UNITS = ("seconds", "bytes")


def listed() -> dict[str, tuple[str, str]]:
    """What docs/operating.md lists: name, kind, and labels with their values."""
    rows = re.findall(r"^\| `([a-z_]+)(?:\{(.*?)\})?` \| (\w+) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: (kind, labels.replace("\\|", "|")) for name, labels, kind in rows}


def test_the_list_in_the_docs_is_whole_and_true() -> None:
    has = {}
    for name, metric in Metrics().families().items():
        labels = ""
        if isinstance(metric, Labelled):
            labels = f"{metric.label}={'|'.join(one.value for one in metric.by)}"
        has[name] = (metric.kind, labels)
    assert listed() == has


def test_names_are_as_prometheus_wants_them() -> None:
    for name, metric in Metrics().families().items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert (metric.kind == "counter") == name.endswith("_total")
        if isinstance(metric, Histogram):
            assert name.endswith(BASE_UNITS)
        if isinstance(metric, Labelled):
            assert all(re.fullmatch(r"[a-z_]+", one.value) for one in metric.by), "a closed set of words"


def test_a_histogram_counts_up_to_each_bound() -> None:
    metrics = Metrics()
    for late in (0.0, 0.001, 0.0011, 0.03, 7.0):
        metrics.tick_late_seconds.observe(late)
    samples = [one for one in metrics.samples() if one.name.startswith("tick_late")]
    assert [(one.labels.get("le"), one.value) for one in samples[:-2]] == [
        ("0.001", 2),
        ("0.002", 3),
        ("0.005", 3),
        ("0.01", 3),
        ("0.02", 3),
        ("0.05", 4),
        ("+Inf", 5),
    ]
    assert samples[-2] == Sample("tick_late_seconds_count", {}, 5)
    assert samples[-1].name == "tick_late_seconds_sum"
    assert abs(samples[-1].value - 7.0321) < 1e-9


def test_a_call_is_counted() -> None:
    """From the door to the mix, with what three friends did."""
    house = House(always_mix=True)
    ann, ben, cid = (TcpFriend(house, name, room="red") for name in ("Ann", "Ben", "Cid"))
    for friend in (ann, ben, cid):
        friend.begin()
    house.login()
    TcpFriend(house, "Eve", password="a wrong one").begin()
    house.login()
    assert house.counted("connections_total") == 4
    assert house.counted("logins_total", Login.ENTERED) == 3
    assert house.counted("logins_total", Login.WRONG_PASSWORD) == 1
    assert house.counted("rooms") == 1
    assert house.counted("participants", Presence.HERE) == 3
    assert house.counted("talkers") == 0
    ann.talk(0.25)
    house.pass_seconds(1.0)
    assert house.counted("talkers") == 1
    assert house.counted("packets_received_total", PacketPath.TCP) >= 50
    assert house.counted("packets_received_total", PacketPath.UDP) == 0
    assert house.counted("frames_played_total") == house.counted("frames_mixed_total") / 2 > 40
    assert house.counted("ticks_total") >= 50
    assert house.counted("tick_late_seconds") == house.counted("ticks_total")
    cid.transport.abortConnection()
    house.settle()
    assert house.counted("participants", Presence.HERE) == 2
    assert house.counted("participants", Presence.AWAY) == 1


def test_what_was_counted_outlives_its_room() -> None:
    house = House(always_mix=True)
    ann, ben = (TcpFriend(house, name, room="red") for name in ("Ann", "Ben"))
    ann.begin()
    ben.begin()
    house.login()
    ann.talk(0.25)
    house.pass_seconds(0.5)
    played = house.counted("frames_played_total")
    assert played > 10
    for friend in (ann, ben):
        house.hub.leave(next(seat for seat in house.hub.seats.values() if seat.member.name == friend.name), "")
    assert house.counted("rooms") == 0
    assert house.counted("frames_played_total") == played


def test_the_time_for_encoding_is_counted() -> None:
    """By the clock that the server has, also of an encoder that fails."""
    from twisted.internet.task import Clock
    from twisted.logger import Logger

    from voicechat.format import silent_frame
    from voicechat.server.eventlog import EventLog
    from voicechat.server.guard import GuardedCodec
    from voicechat.testing import MemoryCodec

    clock, metrics = Clock(), Metrics()

    class Slow(MemoryCodec):
        """Takes a hundredth of a second."""

        def encoder(self, bitrate: int):  # type: ignore[no-untyped-def]
            encoder = super().encoder(bitrate)
            encode = encoder.encode

            def slowly(frame):  # type: ignore[no-untyped-def]
                clock.advance(0.01)
                return encode(frame)

            encoder.encode = slowly  # type: ignore[method-assign]
            return encoder

    encoder = GuardedCodec(Slow(), clock, metrics, EventLog(metrics, Logger("test"))).encoder(12_000)
    for _ in range(3):
        encoder.encode(silent_frame())
    assert abs(metrics.encode_seconds_total.value - 0.03) < 1e-9
