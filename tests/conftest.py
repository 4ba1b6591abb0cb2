"""How much hypothesis tries, which tests stay in one worker, and figures to tell.

Hypothesis tries the same few hundred cases each time, or many new ones in a soak. `make quick`
has two workers: a folder of REAL_TIME stays in one of them, so that its tests run one after
another and share the servers that its fixtures start; all other tests are dealt out singly.
"""

import os
from collections.abc import Iterator
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

REAL_TIME: Final = ("demo", "faults", "goals", "integration", "sound")
"""Folders whose tests start programs, or wait for real time to pass."""

_HERE: Final = Path(__file__).parent
_FIGURE: Final = "figure"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_HERE).parts[0]
        if folder in REAL_TIME:
            item.add_marker(pytest.mark.xdist_group(folder))


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
