"""What the sound tier measures is shown at the end of every run, also when all is well."""

import pytest

_TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TOLD] = []


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> list[str]:
    """Lines put here appear after the test run."""
    return pytestconfig.stash[_TOLD]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    told = config.stash[_TOLD]
    if told:
        terminalreporter.section("sound, from microphone to ear")
        for line in told:
            terminalreporter.write_line(line)
