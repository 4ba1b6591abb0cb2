"""One real server for all goals that leave it as it was: each test has a room of its own."""

from collections.abc import Iterator

import pytest

from testkit.children import Server, children
from testkit.relay import HOME


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with seats for everybody, at HOME."""
    with children(tmp_path_factory.mktemp("server")) as home:
        secret = str(home.password_file)
        yield home.server("--interface", HOME, "--max-clients", "64", "--password-file", secret)
