"""The metrics as Prometheus reads them: their text, made when somebody asks.

Nothing is counted here, and nothing is kept: a collector goes through `Metrics`, in the thread
that is the reactor's. Only `health` imports this module, and only for who asks for it: what
makes the text comes with the extra `metrics`, and takes 0.2 s to import (measured).
"""

import platform
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from voicechat import __version__
from voicechat.server.metrics import Metrics, samples_of
from voicechat.wire import handshake

PREFIX: Final = "voicechat_"

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""The text that every Prometheus reads."""

HELP: Final[Mapping[str, str]] = {
    "connections_total": "connections that were made",
    "refused_total": "connections that were closed before their login",
    "logins_total": "logins by how they ended; resumed and ticket_unknown are of clients that came back by themselves",
    "bans_total": "times that an address was banned",
    "protocol_errors_total": "connections that were closed because what came by them was wrong",
    "requests_total": "requests of browsers by what they got",
    "rooms": "rooms with somebody in them",
    "participants": "seats taken; away: the connection was lost, and the seat is kept",
    "talkers": "participants who are talking",
    "connections_before_login": "connections that have not logged in",
    "packets_received_total": "packets of participants, of voice and others",
    "over_limit_total": "packets of participants that were over a limit",
    "datagrams_dropped_total": (
        "datagrams that nobody's key opened, that the kernel did not hand over, or did not take"
    ),
    "texts_unseen_total": "lines of text of an old client in which there was nothing to see",
    "frames_forwarded_total": "frames passed on undecoded, one for each listener",
    "frames_mixed_total": "frames of a mix, one for each listener",
    "frames_played_total": "frames that came in time for a mix",
    "frames_recovered_total": "lost frames of which a later packet had a copy",
    "frames_concealed_total": "lost frames that were made up",
    "frames_lost_total": "frames that a mix did not get in time: those recovered and those concealed",
    "frames_late_total": "frames that came after their turn",
    "frames_dropped_total": "frames thrown away so that no delay grows",
    "encode_seconds_total": "seconds spent on encoding mixes",
    "ticks_total": "beats of the mix, of 20 ms",
    "ticks_skipped_total": "beats left out because they were too late",
    "ticks_failed_total": "beats of a room that failed",
    "tick_late_seconds": "how late a beat was",
    "faults_total": "faults of the server itself; each has a traceback in the log",
    "log_lines_kept_back_total": "lines that the log did not get one by one",
    "health_requests_total": "requests to the port of --metrics by what they got",
}
"""What each counts; docs/operating.md says it in the same words, and a test holds it to that."""


class MetricsCollector(Collector):
    """Gives all metrics as families of Prometheus', as they are when it is asked."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """One family for each metric, and what was built."""
        for name, metric in self._metrics.families().items():
            # the library puts _total behind a counter's name itself
            family = Metric(PREFIX + name.removesuffix("_total"), HELP[name], metric.kind)
            for sample in samples_of(name, metric):
                family.add_sample(PREFIX + sample.name, sample.labels, sample.value)
            yield family
        built = {"version": __version__, "protocol": str(handshake.VERSION), "python": platform.python_version()}
        yield InfoMetricFamily(f"{PREFIX}build", "what runs here", value=built)


class Exposition:
    """The text of one server's metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(MetricsCollector(metrics))

    def text(self) -> bytes:
        """All of it, as it is now, in CONTENT_TYPE."""
        return generate_latest(self._registry)
