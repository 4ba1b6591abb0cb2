"""Wheels are unpacked as PEP 427 says, and our own source is copied without traces of other builds."""

import zipfile
from pathlib import Path

import pytest

from winpack.tools import BuildFailed
from winpack.wheels import own_source, unpack


def wheel(folder: Path, *names: str) -> Path:
    path = folder / "thing-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, name)
    return path


def unpacked(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_packages_are_unpacked_and_scripts_are_not(tmp_path: Path) -> None:
    names = ["thing/", "thing/a.py", "thing-1.dist-info/METADATA", "thing.libs/x.dll"]
    data = [
        "thing-1.data/purelib/other.py",
        "thing-1.data/platlib/fast.pyd",
        "thing-1.data/scripts/run",
        "thing-1.data/headers/x.h",
    ]
    unpack(wheel(tmp_path, *names, *data), tmp_path / "to")
    assert unpacked(tmp_path / "to") == {*names[1:], "other.py", "fast.pyd"}


@pytest.mark.parametrize("name", ["../x.py", "/etc/x.py", "a/../../x.py"])
def test_a_wheel_that_leads_out_of_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="leads out of its folder"):
        unpack(wheel(tmp_path, name), tmp_path / "to")
    assert not (tmp_path / "x.py").exists()


def test_our_source_is_copied_without_what_python_left_there(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in (
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "voicechat/a.py",
        "voicechat/b/c.py",
        "tests/t.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    for name in (
        "voicechat/__pycache__/a.cpython-311.pyc",
        "build/lib/voicechat/gone.py",
        "voicechat.egg-info/PKG-INFO",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    copy = own_source(root, tmp_path / "to")
    assert unpacked(copy) == {
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "voicechat/a.py",
        "voicechat/b/c.py",
    }
