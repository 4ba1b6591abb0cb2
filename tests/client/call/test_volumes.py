"""How loud each friend is, remembered from one evening to the next."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.call.volumes import LONGEST_FILE, LOUDEST_DB, MOST_NAMES, SOFTEST_DB, Volumes
from voicechat.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "volumes.json"


def loaded(path: Path) -> dict[str, float | None]:
    volumes = Volumes(path)
    volumes.load()
    return dict(volumes.items())


def test_what_was_set_is_there_again_the_next_time(path: Path) -> None:
    volumes = Volumes(path)
    volumes.load()
    for name, db in (("Ben", -6.0), ("Zoë 日本語", None), ("Cid", 3.0), ("Cid", 0.0)):
        volumes.set(name, db)
    volumes.save()
    assert loaded(path) == {"Ben": -6.0, "Zoë 日本語": None}


def test_nobody_else_may_read_it(path: Path) -> None:
    volumes = Volumes(path)
    for _ in range(2):
        volumes.save()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["volumes.json"]


def test_names_are_bounded_and_the_oldest_is_forgotten(path: Path) -> None:
    volumes = Volumes(path)
    for n in range(2 * MOST_NAMES):
        volumes.set("\x00" * 28 + f"{n}", 1.0)
    assert len(list(volumes.items())) == MOST_NAMES
    volumes.save()
    assert path.stat().st_size < LONGEST_FILE, "what is written can be read"
    assert len(loaded(path)) == MOST_NAMES


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"volumes": 1}', '{"volumes": {"Ben": "loud"}}', '{"volumes": {"Ben": 99}}', "\xff", "[" * 9000],
)
def test_a_broken_file_is_told_and_costs_the_memory_only(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    volumes = Volumes(path)
    with pytest.raises(ConfigError, match=r"volumes cannot be read from .*volumes\.json"):
        volumes.load()
    assert list(volumes.items()) == []
    volumes.set("Ben", 1.0)
    volumes.save()
    assert loaded(path) == {"Ben": 1.0}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        Volumes(tmp_path / "file" / "volumes.json").save()
    (tmp_path / "folder" / "volumes.json").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be written"):
        Volumes(tmp_path / "folder" / "volumes.json").save()
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["volumes.json"], "nothing half made is left"
    with pytest.raises(ConfigError, match="cannot be read"):
        Volumes(tmp_path / "folder" / "volumes.json").load()


def test_without_a_place_nothing_is_kept() -> None:
    volumes = Volumes()
    volumes.load()
    volumes.set("Ben", 1.0)
    volumes.save()
    assert volumes.get("Ben") == 1.0


@given(st.dictionaries(st.text(max_size=32), st.none() | st.floats(SOFTEST_DB, LOUDEST_DB), max_size=20))
def test_any_names_and_levels_come_back(tmp_path_factory: pytest.TempPathFactory, chosen: dict[str, float]) -> None:
    path = tmp_path_factory.mktemp("state") / "volumes.json"
    volumes = Volumes(path)
    for name, db in chosen.items():
        volumes.set(name, db)
    volumes.save()
    json.loads(path.read_text(encoding="utf-8"))
    assert loaded(path) == {name: db for name, db in chosen.items() if db != 0}
