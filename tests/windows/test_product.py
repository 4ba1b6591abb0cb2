"""The zip: the same bytes from another folder, each DLL found, all licences inside."""

import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.windows.conftest import SecondBuild
from winpack import checking, folder, locks
from winpack.pe import imports
from winpack.tools import sha256


@pytest.fixture(scope="session")
def unpacked(product: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("product")
    with zipfile.ZipFile(product) as file:
        file.extractall(home)
    return home / folder.TOP


def test_another_folder_umask_zone_and_language_give_the_same_bytes(product: Path, second_build: SecondBuild) -> None:
    assert sha256(second_build.product()) == sha256(product)


def test_everything_lies_in_one_folder_and_the_programs_on_its_top(product: Path) -> None:
    with zipfile.ZipFile(product) as file:
        names = [PurePosixPath(name) for name in file.namelist()]
    assert {name.parts[0] for name in names} == {"voicechat"}
    tops = {name.name for name in names if len(name.parts) == 2}
    assert tops == {"voicechat-client.exe", "voicechat-ctl.exe", "README.txt"}


def test_each_dll_that_windows_is_said_to_have_is_asked_for(unpacked: Path) -> None:
    """The list stays short, so that a new name in it is looked at."""
    asked = {dll.lower() for path in checking.programs(unpacked) for dll in imports(path.read_bytes())}
    assert checking.unresolved(unpacked) == []
    assert set(checking.WINDOWS) | set(checking.API_SETS) <= asked


def test_every_part_has_its_licence(unpacked: Path) -> None:
    told = (unpacked / "licences" / "versions.txt").read_text().splitlines()
    parts = {line.split()[0] for line in told}
    pinned = {wheel.name for lock in ("client.lock", "pure.lock") for wheel in locks.wheels(lock)}
    assert parts == pinned | {"python", "opus", "mingw-w64", "voicechat"}
    for part in parts:
        texts = (unpacked / "licences" / part).iterdir()
        assert sum(text.stat().st_size for text in texts) > 500, part


def test_what_is_lgpl_comes_with_its_source(unpacked: Path) -> None:
    urwid = unpacked / "lib" / "site-packages" / "urwid"
    assert (urwid / "__init__.py").exists()
    assert list((urwid / "__pycache__").glob("__init__.cpython-313.pyc"))
