"""Children that no test leaves behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import Children, Server, children


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Children]:
    """Children of one test."""
    with children(tmp_path) as held:
        yield held


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """Children of one module."""
    with children(tmp_path_factory.mktemp("home")) as held:
        yield held


@pytest.fixture(scope="module")
def server(home: Children) -> Server:
    """A server with sixteen seats for all tests of a module."""
    return home.server("--max-clients", "16")
