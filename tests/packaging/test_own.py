"""Our source distribution and our wheel: whole, the same each time, and true about themselves."""

import email
import email.message
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import setuptools

from relpack import own
from relpack.checkout import Checkout, repack
from relpack.everything import address
from winpack.tools import BuildFailed

ROOT = Path(__file__).parents[2]
TOOLS = Path(setuptools.__file__).parents[1]
"""The setuptools of these tests: another than the pinned one, of which this needs no network."""

JUNK = (".git", ".venv", ".cache", "node_modules", "dist", "out", "build", "*.egg-info", "__pycache__", ".*_cache")


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@voicechat.invalid")
    return subprocess.run(["git", "-C", root, *identity, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of what is here now, committed or not; where this is none, of all."""
    root = tmp_path_factory.mktemp("clone") / "voicechat"
    if (ROOT / ".git").exists():
        for name in git(ROOT, "ls-files").splitlines():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    else:
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*JUNK))
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all", "--date", "2026-05-04T03:02:01Z")
    return root


class Made:
    """The two of one commit."""

    def __init__(self, clone: Path, folder: Path) -> None:
        folder.mkdir()
        self.checkout = Checkout(clone, folder / "checkout")
        self.sdist = own.sdist(self.checkout, TOOLS)
        self.wheel = own.wheel(self.checkout, TOOLS)

    def metadata(self) -> email.message.Message:
        with zipfile.ZipFile(self.wheel) as file:
            (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
            return email.message_from_bytes(file.read(name))


@pytest.fixture(scope="module")
def made(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(clone, tmp_path_factory.mktemp("made") / "one")


def test_the_sdist_is_the_repository(clone: Path, made: Made) -> None:
    with tarfile.open(made.sdist) as file:
        inside = {member.name.partition("/")[2] for member in file if member.isfile()}
    committed = set(git(clone, "ls-files").splitlines())
    assert committed >= {"Makefile", "CHANGELOG.md", "docs/voicechat.service", "tac/voicechat.tac", ".ci/prepare"}
    assert committed - inside == set()
    assert {name for name in inside - committed if ".egg-info/" not in name} == {"PKG-INFO"}


def test_two_builds_elsewhere_by_somebody_else_are_the_same(
    clone: Path, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder that has more in it, which must not get in."""
    other = tmp_path / "Jörgs clone"
    shutil.copytree(clone, other)
    (other / "voicechat" / "left_over.py").write_text("")
    (other / "secret.txt").write_text("correct horse")
    for name, value in {"TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    second = Made(other, tmp_path / "two")
    assert second.checkout.changed
    assert second.sdist.read_bytes() == made.sdist.read_bytes()
    assert second.wheel.read_bytes() == made.wheel.read_bytes()


def test_a_tarball_says_nothing_of_who_made_it(tmp_path: Path) -> None:
    def tarball(name: str, order: list[str], mode: int) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for each in order:
            (folder / each).write_text(each)
            (folder / each).chmod(mode)
        with tarfile.open(folder / "it.tar.gz", "w:gz") as file:
            for each in order:
                file.add(folder / each, f"top/{each}")
        repack(folder / "it.tar.gz", 1_700_000_000)
        return folder / "it.tar.gz"

    one, two = tarball("one", ["a", "b"], 0o600), tarball("two", ["b", "a"], 0o664)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as file:
        assert [(it.name, it.mode, it.mtime, it.uid, it.uname) for it in file] == [
            ("top/a", 0o644, 1_700_000_000, 0, ""),
            ("top/b", 0o644, 1_700_000_000, 0, ""),
        ]
    assert tarball("three", ["a"], 0o755).read_bytes() != tarball("four", ["a"], 0o644).read_bytes()


def test_a_folder_that_is_no_clone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no clone"):
        Checkout(tmp_path, tmp_path / "checkout")


def test_who_uses_the_package_has_its_types(made: Made) -> None:
    with zipfile.ZipFile(made.wheel) as file:
        assert "voicechat/py.typed" in file.namelist()
    assert "Typing :: Typed" in (made.metadata().get_all("Classifier") or [])


def test_the_licence_is_an_spdx_expression_and_its_text_is_inside(made: Made) -> None:
    assert made.metadata()["License-Expression"] == "MIT"
    with zipfile.ZipFile(made.wheel) as file:
        assert any(name.endswith("licenses/LICENSE") for name in file.namelist())


def test_one_line_gives_all_links(made: Made) -> None:
    """And none of the page leads nowhere outside the repository."""
    url = address(ROOT)
    assert (ROOT / "setup.cfg").read_text().count(url) == 1
    metadata = made.metadata()
    links = [text.partition(", ") for text in metadata.get_all("Project-URL") or []]
    assert {name for name, _, _ in links} >= {"Changes", "Documentation", "Issues"}
    assert all(link.startswith(f"{url}/") for _, _, link in links)
    page = str(metadata.get_payload())
    targets = re.findall(r"\]\(([^)]+)\)", page)
    assert targets
    assert [target for target in targets if not re.match("https?://|#", target)] == []
    files = {target.partition("#")[0].removeprefix(f"{url}/blob/main/") for target in targets if url in target}
    assert files >= {"LICENSE", "docs/security.md"}
    assert all((ROOT / name.removeprefix(f"{url}/raw/main/")).exists() for name in files)
