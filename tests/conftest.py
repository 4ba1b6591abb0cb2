"""How much hypothesis tries, the same few hundred cases each time or many new ones in a soak; and figures to tell."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

os.environ["VOICECHAT_CONFIG"] = os.environ["XDG_STATE_HOME"] = os.devnull
"""No test reads its user's settings, or what he did to his friends' volumes."""

SOAK: Final = os.environ.get("VOICECHAT_SOAK") == "1"

# Tests of sound take their time, and two of them share a machine with a compiler: a deadline would only add chance.
# The cases are always the same, so that a red build is the change's doing; the soak looks for new ones.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "soak", deadline=None, max_examples=5_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if SOAK else "ci")

_TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TOLD] = []


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> list[str]:
    """Lines put here appear after the test run, also when all is well."""
    return pytestconfig.stash[_TOLD]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    told = config.stash[_TOLD]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)
