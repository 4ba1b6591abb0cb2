"""A town for each test, of which nothing stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import children
from tests.router.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with children(tmp_path) as house:
        built = Town(house)
        try:
            built.build()
            yield built
        finally:
            house.close()
            built.close()
