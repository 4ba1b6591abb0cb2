"""Every part of the Windows folder has its terms in the folder licences."""

from pathlib import Path

import pytest

from winpack import leaving, licences
from winpack.licences import Licences
from winpack.locks import Wheel
from winpack.tools import BuildFailed

THING = Wheel("a-thing", "1.2", frozenset())


def info(packages: Path, *names: str) -> None:
    for name in names:
        path = packages / "A_Thing-1.2.dist-info" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_all_texts_of_a_wheel_come_along_under_names_that_do_not_collide(tmp_path: Path) -> None:
    info(tmp_path, "METADATA", "licenses/LICENSE", "licenses/vendor/LICENSE", "COPYING.md", "NOTICE")
    made = Licences(tmp_path / "licences")
    made.add_wheel(THING, tmp_path)
    texts = {path.name: path.read_text() for path in (tmp_path / "licences" / "a-thing").iterdir()}
    assert texts == {
        "licenses-LICENSE.txt": "licenses/LICENSE",
        "licenses-vendor-LICENSE.txt": "licenses/vendor/LICENSE",
        "COPYING.md": "COPYING.md",
        "NOTICE.txt": "NOTICE",
    }
    assert made.versions() == "a-thing 1.2\n"


def test_a_part_without_a_text_fails_the_build(tmp_path: Path) -> None:
    info(tmp_path, "METADATA")
    with pytest.raises(BuildFailed, match=r"a-thing brings no licence text along; .*a-thing\.txt"):
        Licences(tmp_path / "licences").add_wheel(THING, tmp_path)


def test_texts_are_added_for_what_a_part_holds_and_does_not_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licences, "ADDED", tmp_path / "added")
    (tmp_path / "added").mkdir()
    (tmp_path / "added" / "a-thing-inside.txt").write_text("what is inside")
    info(tmp_path, "LICENSE")
    Licences(tmp_path / "licences").add_wheel(THING, tmp_path)
    assert {path.name for path in (tmp_path / "licences" / "a-thing").iterdir()} == {
        "LICENSE.txt",
        "a-thing-inside.txt",
    }


def test_what_is_left_out_must_be_there(tmp_path: Path) -> None:
    """A name of nothing in the table would stay there for ever."""
    for name in leaving.PACKAGES[1:]:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(BuildFailed, match=f"in no package: {leaving.PACKAGES[0]}$"):
        leaving.trim(tmp_path)
    (tmp_path / leaving.PACKAGES[0]).mkdir()
    kept = tmp_path / "numpy" / "kept.py"
    dropped = [tmp_path / "numpy" / name for name in ("tests/t.py", "x.pyi", "lib/x.lib")]
    for path in (kept, *dropped):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    leaving.trim(tmp_path)
    assert kept.exists()
    assert not any(path.exists() for path in (*dropped, *(tmp_path / name for name in leaving.PACKAGES)))
