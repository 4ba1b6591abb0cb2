"""Lower bounds: each has one, and what `make lowest` installs is these."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

import lowest

METADATA = (Path(__file__).parents[2] / "setup.cfg").read_text("utf-8")


def test_every_package_that_people_install_is_tried_at_its_bound() -> None:
    found = lowest.bounds(METADATA)
    declared = set()
    for line in requires("voicechat") or []:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if not marker or re.search("'(.*)'|\"(.*)\"", marker)[0][1:-1] in lowest.EXTRAS:  # type: ignore[index]
            declared.add(requirement)
    assert {f"{name}>={version}" for name, version in found.items()} == declared


@pytest.mark.parametrize("line", ["numpy", "numpy == 2", "numpy >= 2, < 3"])
def test_a_package_without_a_bound_alone_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="numpy"):
        lowest.bounds(METADATA.replace("    opuslib >= 3.0.1\n", f"    {line}\n"))


def test_the_folders_are_there() -> None:
    assert all((lowest.ROOT / "tests" / name).is_dir() for name in lowest.FOLDERS)
