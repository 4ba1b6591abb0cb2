"""How much hypothesis tries, in which order tests run and which stay in one worker, and figures to tell.

Hypothesis tries the same few hundred cases each time, or many new ones in a soak. `make quick`
has more workers than cores, for tests in real time wait for the most part. Each group of those
stays in one worker, so that its tests run one after another and share the servers that their
fixtures start. They come first, so that none is left when all else is done; all other tests are
dealt out singly, and give way to them (`nice`): a worker that computes takes no time from one that
measures it.
"""

import gc
import os
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

os.environ["VOICECHAT_CONFIG"] = os.environ["XDG_STATE_HOME"] = os.devnull
"""No test reads its user's settings, or what they did to their friends' volumes."""

SOAK: Final = os.environ.get("VOICECHAT_SOAK") == "1"

# Tests of sound take their time, and two of them share a machine with a compiler: a deadline would only add chance.
# The cases are always the same, so that a red build is the change's doing; the soak looks for new ones.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "soak", deadline=None, max_examples=5_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if SOAK else "ci")

REAL_TIME: Final = {"integration": ("programs", "stage"), "goals": ("stage",), "sound": ("stage",)}
"""Folders with tests that start programs and wait for real time to pass, and in which groups these are."""

SECOND_PART: Final = "test_s"
"""The first file of the second group of a folder that has two: so both groups take about as long. More than two would
measure each other."""

ON_STAGE: Final = {"stage", "server"}
"""What a test in real time of a folder that has others, too, calls, or takes as a fixture."""

NICENESS: Final = 5
"""Of workers that only compute. A quarter of a core is left to them where real time asks for all of it."""

_HERE: Final = Path(__file__).parent
_FIGURE: Final = "figure"


def real_time_group(item: pytest.Item) -> str | None:
    """The group of a test in real time; None for all others."""
    folder = item.path.relative_to(_HERE).parts[0]
    if folder == "goals":
        assert isinstance(item, pytest.Function)
        if ON_STAGE.isdisjoint((*item.fixturenames, *item.function.__code__.co_names)):
            return None
    groups = REAL_TIME.get(folder)
    return None if groups is None else groups[0 if item.path.name < SECOND_PART else -1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before xdist looks for the groups, which it writes behind the names of the tests."""
    groups = {item: real_time_group(item) for item in items}
    for item, group in groups.items():
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (groups[item] is None, groups[item] or ""))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """While tests are collected nothing is garbage: to look for it takes a quarter of the time."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("xdist_group") is None and "PYTEST_XDIST_WORKER" in os.environ:
        give_way()


@cache
def give_way() -> None:
    """From now on this process has time that nobody else wants; Windows has no such thing."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


@pytest.fixture(scope="session")
def found(request: pytest.FixtureRequest) -> frozenset[str]:
    """The tests that this run has collected, as pytest names them, without parameters (and without xdist's @group)."""
    return frozenset(item.nodeid.partition("[")[0].partition("@")[0] for item in request.session.items)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines put here appear after the test run, also when all is well; they travel with the test's report."""
    lines: list[str] = []
    yield lines
    request.node.user_properties += [(_FIGURE, line) for line in lines]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    told = [
        value
        for report in reports
        if getattr(report, "when", None) == "teardown"
        for name, value in report.user_properties
        if name == _FIGURE
    ]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)
