"""The product, built once; a Windows by Wine that runs a copy of it; and children that no test leaves behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import Children, Program, children
from testkit.wine import Wine
from tests.windows.standins import prepare, prepare_for_tests
from winpack import folder


class Friend:
    """A friend's PC: the folder unpacked there, and its programs."""

    def __init__(self, wine: Wine, folder: Path) -> None:
        self.wine = wine
        self.folder = folder

    def words(self, program: str, *arguments: str) -> list[str]:
        """What starts a program of the folder."""
        return ["wine", str(self.folder / program), *arguments]

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of its programs; what they keep and would read lies nowhere, unless ``more`` says where."""
        return self.wine.variables | {"VOICECHAT_CONFIG": "nul"} | more

    def start(self, house: Children, program: str, *arguments: str, **variables: str) -> Program:
        """A running program."""
        return house.start(*self.words(program, *arguments), variables=self.variables(**variables))

    def run(self, house: Children, program: str, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Its status, and what it wrote on both outputs."""
        started = self.start(house, program, *arguments, **variables)
        return started.end(), started.out, started.err


@pytest.fixture(scope="session")
def product() -> Path:
    """The zip, built from this checkout."""
    folder.build()
    return folder.ZIP


class SecondBuild:
    """The same checkout's zip, built elsewhere by somebody else, while other tests run."""

    def __init__(self, home: Path) -> None:
        root = home / "Jörgs voice chat"
        for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
            root.mkdir(exist_ok=True)
            shutil.copyfile(folder.ROOT / name, root / name)
        for name in ("voicechat", "packaging"):
            shutil.copytree(folder.ROOT / name, root / name)
        for name in ("debian", "wheels"):  # what was fetched; what was compiled is compiled again
            shutil.copytree(folder.CACHE / name, root / ".cache" / "windows" / name, copy_function=os.link)
        self._product = root / "dist" / folder.ZIP.name
        self._process = subprocess.Popen(
            [sys.executable, "packaging/windows/build.py"],
            cwd=root,
            env=os.environ | {"TZ": "Asia/Tokyo", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "7"},
            umask=0o077,
            stderr=subprocess.PIPE,
            text=True,
        )

    def product(self) -> Path:
        """Wait for it."""
        _, err = self._process.communicate(timeout=600)
        assert self._process.returncode == 0, err
        return self._product

    def close(self) -> None:
        """It is not wanted any more."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="session")
def second_build(product: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondBuild]:
    """It begins when the first test asks for it."""
    build = SecondBuild(tmp_path_factory.mktemp("elsewhere"))
    try:
        yield build
    finally:
        build.close()


@pytest.fixture(scope="session")
def friend(product: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Friend]:
    """Who has unpacked it."""
    home = tmp_path_factory.mktemp("windows")
    wine = Wine(home / "prefix")
    wine.start()
    try:
        yield Friend(wine, prepare(product, home))
    finally:
        wine.close()


@pytest.fixture(scope="session")
def tester(friend: Friend, product: Path, tmp_path_factory: pytest.TempPathFactory) -> Friend:
    """On the same PC a copy that has python.exe, and can run our tests."""
    return Friend(friend.wine, prepare_for_tests(product, tmp_path_factory.mktemp("tests")))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Children]:
    """Children of one test."""
    with children(tmp_path) as held:
        yield held


@pytest.fixture(scope="module")
def house_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """Children of one module."""
    with children(tmp_path_factory.mktemp("house")) as held:
        yield held
