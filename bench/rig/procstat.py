"""What running processes cost: CPU time, wake-ups and memory, from /proc (Linux only).

May import the standard library. CPU time is read from schedstat, in nanoseconds: the
10 ms of /proc/PID/stat are a quarter of what a server uses in five seconds. A thread
that ended between two samples is missing from the difference; call programs keep
theirs.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Sample:
    """A process and its living descendants at one moment."""

    cpu_seconds: float
    switches: int
    """Context switches of all threads, of either kind."""
    wakeups: int
    """Voluntary switches of the main threads: how often a program's loop went to sleep."""
    rss_mb: float
    peak_mb: float
    threads: int


@dataclass(frozen=True)
class Cost:
    """What happened between two samples."""

    cpu: float
    """CPU seconds in a minute."""
    switches: float
    """Context switches a second."""
    wakeups: float
    """Of the main thread, a second."""
    rss_mb: float
    peak_mb: float
    threads: int


def sample(pid: int) -> Sample:
    """The process and its descendants now; all zero when it is gone."""
    cpu, switches, wakeups, rss, peak, threads = 0.0, 0, 0, 0, 0, 0
    for member in tree(pid):
        with contextlib.suppress(OSError, ValueError):
            status = _fields(PROC / str(member) / "status")
            rss += status.get("VmRSS", 0)
            peak += status.get("VmHWM", 0)
            for thread in (PROC / str(member) / "task").iterdir():
                cpu += int((thread / "schedstat").read_text().split()[0]) / 1e9
                counts = _fields(thread / "status")
                switches += counts["voluntary_ctxt_switches"] + counts["nonvoluntary_ctxt_switches"]
                wakeups += counts["voluntary_ctxt_switches"] if thread.name == str(member) else 0
                threads += 1
    return Sample(cpu, switches, wakeups, rss / 1024, peak / 1024, threads)


def between(before: Sample, after: Sample, seconds: float) -> Cost:
    """The cost of ``seconds`` between two samples; memory as it was at the second."""
    return Cost(
        (after.cpu_seconds - before.cpu_seconds) * 60 / seconds,
        (after.switches - before.switches) / seconds,
        (after.wakeups - before.wakeups) / seconds,
        after.rss_mb,
        after.peak_mb,
        after.threads,
    )


def tree(pid: int) -> list[int]:
    """A process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for path in PROC.iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                # The name in brackets may hold spaces and brackets of its own.
                parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(path.name))
    found, waiting = [], [pid]
    while waiting:
        member = waiting.pop()
        if (PROC / str(member)).exists():
            found.append(member)
        waiting += children.get(member, [])
    return found


def stalled_us() -> int:
    """Microseconds in which some task waited for a CPU (PSI) since the start: how busy the machine was. 0 if untold."""
    try:
        return int((PROC / "pressure" / "cpu").read_text().splitlines()[0].split("total=")[1])
    except (OSError, IndexError, ValueError):
        return 0


def load() -> float:
    """Processes that ran or waited to run, averaged over a minute."""
    return os.getloadavg()[0]


def _fields(path: Path) -> dict[str, int]:
    """The fields of a status file whose first word is a number."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        first = value.split()[:1]
        if first and first[0].isdigit():
            found[name] = int(first[0])
    return found
