"""What the server counts: counters, gauges and a histogram, each with a name that stays.

A name is one of Prometheus' kind (https://prometheus.io/docs/practices/naming): what is
counted and its unit, `_total` at the end of what only grows. Labels are closed sets; no
name of a person, no address and nothing else that a stranger can choose is ever one, so
all of it is some kilobytes for ever. docs/operating.md lists them, and a test holds it
to that.

To count is to add to ``value``: no string is made, and what is on a packet's way holds its
counter. What is known elsewhere is read when somebody asks.

May import the media's `Counts`. The log is `eventlog`'s affair.
"""

import enum
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, NamedTuple, TypeVar

from voicechat.format import TICK_SECONDS
from voicechat.media.counts import Counts

TICK_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, TICK_SECONDS, 0.05)
"""Seconds: a fair tick is late by 1 ms, one of a full core by 5 to 10, and 20 are the next tick's time."""


class Login(enum.Enum):
    """How a login ended."""

    ENTERED = "entered"
    RESUMED = "resumed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    BANNED = "banned"
    FULL = "full"
    TICKET_UNKNOWN = "ticket_unknown"
    LEFT = "left"


class Rejected(enum.Enum):
    """Why a connection was closed before its login."""

    NO_LOGIN_IN_TIME = "no_login_in_time"
    TOO_MANY_OF_ONE_ADDRESS = "too_many_of_one_address"
    TOO_MANY = "too_many"
    BANNED = "banned"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    SHUTTING_DOWN = "shutting_down"


class OverLimit(enum.Enum):
    """What of a participant's was over its limit."""

    DATAGRAM = "datagram"
    MEDIA = "media"
    MESSAGE = "message"
    REQUEST = "request"
    TEXT = "text"


class PacketPath(enum.Enum):
    """How a packet came."""

    TCP = "tcp"
    UDP = "udp"


class Dropped(enum.Enum):
    """Why a datagram got nowhere."""

    NOT_OPENED = "not_opened"
    KERNEL = "kernel"
    NOT_SENT = "not_sent"


class WebAnswer(enum.Enum):
    """What a browser's request was answered with."""

    PAGE = "page"
    WEBSOCKET = "websocket"
    TOO_OFTEN = "too_often"
    NOT_FOUND = "not_found"


class HealthAnswer(enum.Enum):
    """What a request for figures or health was answered with."""

    METRICS = "metrics"
    OK = "ok"
    FAILING = "failing"
    NOT_FOUND = "not_found"
    TOO_OFTEN = "too_often"
    BAD_REQUEST = "bad_request"
    TOO_SLOW = "too_slow"
    TOO_MANY = "too_many"


class Presence(enum.Enum):
    """Whether somebody who has a seat is connected."""

    HERE = "here"
    AWAY = "away"


class Counter:
    """Something that only grows."""

    __slots__ = ("value",)
    kind = "counter"

    def __init__(self) -> None:
        self.value: float = 0


class Reading:
    """A number that is known elsewhere: ``read`` gives it when it is asked for."""

    def __init__(self, kind: str, read: Callable[[], float] = float) -> None:
        self.kind = kind
        self.read = read

    @property
    def value(self) -> float:
        """The number now."""
        return self.read()


class Histogram:
    """Values by size. ``bounds`` ascend; a value counts for the first bound that is not below it."""

    kind = "histogram"

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """By bound; the last are those above all of them."""
        self.sum = 0.0

    @property
    def value(self) -> float:
        """How many values there were."""
        return sum(self.counts)

    def observe(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


M = TypeVar("M", bound=Counter | Reading)
L = TypeVar("L", bound=enum.Enum)


class Labelled(Generic[L, M]):
    """One metric for each value of a label."""

    def __init__(self, label: str, values: type[L], make: Callable[[], M]) -> None:
        self.label = label
        self.by: dict[L, M] = {value: make() for value in values}
        self.kind = next(iter(self.by.values())).kind

    def __getitem__(self, value: L) -> M:
        return self.by[value]


def _counters(label: str, values: type[L]) -> Labelled[L, Counter]:
    return Labelled(label, values, Counter)


Metric = Counter | Reading | Histogram | Labelled[Any, Any]


class Sample(NamedTuple):
    """One number, with the labels that tell it from others of its name."""

    name: str
    labels: dict[str, str]
    value: float


def samples_of(name: str, metric: Metric) -> Iterator[Sample]:
    """The numbers of one metric, as they are now; of a histogram how many up to each bound, their count and sum."""
    if isinstance(metric, Labelled):
        for label, one in metric.by.items():
            yield Sample(name, {metric.label: label.value}, one.value)
    elif isinstance(metric, Histogram):
        reached = 0
        for bound, count in zip((*metric.bounds, "+Inf"), metric.counts, strict=True):
            reached += count
            yield Sample(f"{name}_bucket", {"le": str(bound)}, reached)
        yield Sample(f"{name}_count", {}, reached)
        yield Sample(f"{name}_sum", {}, metric.sum)
    else:
        yield Sample(name, {}, metric.value)


class Metrics:
    """One attribute for each metric; it bears the name, without ``voicechat_``, that the metric is known by outside."""

    def __init__(self) -> None:
        # who comes
        self.connections_total = Counter()
        self.refused_total = _counters("why", Rejected)
        self.logins_total = _counters("result", Login)
        self.bans_total = Counter()
        self.protocol_errors_total = Counter()
        self.requests_total = _counters("answer", WebAnswer)
        # who is here; the hub knows
        self.rooms = Reading("gauge")
        self.participants: Labelled[Presence, Reading] = Labelled("state", Presence, lambda: Reading("gauge"))
        self.talkers = Reading("gauge")
        self.connections_before_login = Reading("gauge")
        # what they send
        self.packets_received_total = _counters("path", PacketPath)
        self.over_limit_total = _counters("kind", OverLimit)
        self.datagrams_dropped_total = _counters("why", Dropped)
        self.texts_unseen_total = Counter()
        # what becomes of it
        self.frames_forwarded_total = Counter()
        self.frames_mixed_total = Counter()
        self.frames = Counts()
        """What became of frames on their way into mixes, of all rooms that there were."""
        self.frames_played_total = Reading("counter", lambda: self.frames.played)
        self.frames_recovered_total = Reading("counter", lambda: self.frames.recovered)
        self.frames_concealed_total = Reading("counter", lambda: self.frames.concealed)
        self.frames_lost_total = Reading("counter", lambda: self.frames.recovered + self.frames.concealed)
        self.frames_late_total = Reading("counter", lambda: self.frames.late)
        self.frames_dropped_total = Reading("counter", lambda: self.frames.dropped)
        self.encode_seconds_total = Counter()
        # the beat
        self.ticks_total = Counter()
        self.ticks_skipped_total = Counter()
        self.ticks_failed_total = Counter()
        self.tick_late_seconds = Histogram(TICK_BOUNDS)
        # ourselves
        self.faults_total = Counter()
        self.log_lines_kept_back_total = Counter()
        # who asks for all this
        self.health_requests_total = _counters("answer", HealthAnswer)

    def families(self) -> dict[str, Metric]:
        """Every metric by its name."""
        return {name: value for name, value in vars(self).items() if not isinstance(value, Counts)}

    def samples(self) -> Iterator[Sample]:
        """Every number, as it is now."""
        for name, metric in self.families().items():
            yield from samples_of(name, metric)
