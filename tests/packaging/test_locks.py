"""What is pinned for Windows: well formed, complete, and in step with setup.cfg."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from winpack import leaving, library, locks, update
from winpack.tools import BuildFailed

ROOT = Path(__file__).parents[2]


def test_all_that_the_client_needs_is_pinned_at_a_version_that_setup_cfg_allows() -> None:
    """To take what was added or raised: .venv/bin/python packaging/windows/build.py lock."""
    pinned = {wheel.name: wheel.version for lock in ("client.lock", "pure.lock") for wheel in locks.wheels(lock)}
    wanted = [Requirement(line) for line in update.requirements(ROOT / "setup.cfg")]
    assert {"twisted", "urwid"} <= {it.name for it in wanted}
    assert [str(it) for it in wanted if not it.specifier.contains(pinned.get(canonicalize_name(it.name), "0"))] == []


def test_nothing_is_pinned_twice_and_all_by_a_hash() -> None:
    for lock in ("python.lock", "client.lock", "pure.lock", "build.lock", "tests.lock"):
        wheels = locks.wheels(lock)
        assert wheels
        assert len({wheel.name for wheel in wheels}) == len(wheels)
    assert not {wheel.name for wheel in locks.wheels("tests.lock")} & {
        wheel.name for wheel in locks.wheels("client.lock")
    }


def test_each_dll_that_is_taken_is_pinned_and_no_other() -> None:
    assert locks.dlls().keys() == {*leaving.DLLS, *(f"{name}.pyd" for name in leaving.EXTENSIONS)}


def test_each_debian_package_is_pinned() -> None:
    assert {it.name for it in locks.packages()} == set(library.PACKAGES)
    assert [it.name for it in locks.sources()] == ["opus"]


@pytest.mark.parametrize(
    "line", ["numpy", "numpy==2.4", "numpy>=2 --hash=sha256:" + 64 * "0", "numpy==2 --hash=md5:00"]
)
def test_a_line_that_pins_nothing_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HERE", tmp_path)
    (tmp_path / "client.lock").write_text(f"# wheels\n{line}\n")
    with pytest.raises(BuildFailed, match=r"client\.lock: "):
        locks.wheels("client.lock")


def test_a_row_that_is_too_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HERE", tmp_path)
    (tmp_path / "debian.lock").write_text("libc6 2.41\n")
    with pytest.raises(BuildFailed, match=r"debian.lock: 'libc6 2.41' has 2 words"):
        locks.packages()


def test_what_is_written_is_read_again_and_comments_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HERE", tmp_path)
    (tmp_path / "client.lock").write_text("# why\n" + locks.Wheel("old", "1", frozenset({"a" * 64})).line() + "\n")
    new = [
        locks.Wheel("new", "2", frozenset({"b" * 64, "c" * 64})),
        locks.Wheel("zope-interface", "8", frozenset({"d" * 64})),
    ]
    locks.write("client.lock", [wheel.line() for wheel in new])
    assert locks.wheels("client.lock") == new
    assert (tmp_path / "client.lock").read_text().startswith("# why\n")


def test_what_changed_is_told() -> None:
    assert locks.differences({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == [
        "a: 1 -> none",
        "b: 1 -> 2",
        "c: none -> 1",
    ]
