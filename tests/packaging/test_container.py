"""The steps of the Containerfile, as packaging/container.py takes them; the bare Debian is for who starts it."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("container", ROOT / "packaging" / "container.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


container: Any = loaded()
TEXT = (ROOT / "docs" / "Containerfile").read_text(encoding="utf-8")


def test_every_step_of_the_containerfile_is_known() -> None:
    build, last = container.stages(TEXT)
    assert (build.name, last.name) == ("build", "")
    assert [word for word, _ in build.steps] == ["RUN", "COPY", "RUN"]
    assert "pip install" in build.steps[-1][1], "lines that go on are one step"
    assert "#" not in "".join(rest for _, rest in (*build.steps, *last.steps))
    assert last.environment() == {
        "VOICECHAT_PASSWORD_FILE": "/run/secrets/password",
        "VOICECHAT_METRICS": "127.0.0.1:9464",
    }
    health, command = json.loads(last.last("HEALTHCHECK").partition(" CMD ")[2]), json.loads(last.last("CMD"))
    assert Path(health[0]) == Path(command[0]).with_name("python")


def test_both_stages_are_of_one_release_that_has_a_libopus_with_models() -> None:
    assert {container.release(stage.image) for stage in container.stages(TEXT)} == {"trixie"}


@pytest.mark.parametrize("text", ["RUN true\n", "FROM debian:13\nADD . /\n", "FROM debian:13\nENTRYPOINT sh\n"])
def test_a_step_that_is_not_known_is_not_left_out(text: str) -> None:
    with pytest.raises(ValueError, match="not known"):
        list(container.stages(text))


@pytest.mark.parametrize("image", ["docker.io/library/alpine:3", "debian:7-slim"])
def test_another_image_is_refused(image: str) -> None:
    with pytest.raises(container.StepFailed, match="which Debian"):
        container.release(image)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Debootstrap makes an empty system, chroot only tells how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, line in {"debootstrap": 'mkdir -p "$3/etc"', "chroot": f'echo "$@" >>{tmp_path}/asked'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(container, "OF_THIS_MACHINE", {})
    return tmp_path


def test_steps_are_taken_in_order_each_in_its_stage(programs: Path) -> None:
    text = "FROM debian:13 AS build\nCOPY . /src\nRUN make it\nFROM debian:13\nRUN one \\\n && two\n"
    text += "COPY --from=build /src /opt\n"
    made = container.Container(programs, "https://mirror.invalid/debian/")
    build, last = [made.build(stage) for stage in container.stages(text)]
    asked = (programs / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == [str(build), str(last)]
    assert [" ".join(line.split()[-5:]) for line in asked][1] == "sh -c one && two"
    assert asked[0].endswith("sh -c make it")
    assert (build / "src" / "setup.cfg").read_bytes() == (ROOT / "setup.cfg").read_bytes()
    assert not (build / "src" / ".git").exists()
    assert (last / "opt" / "voicechat" / "__init__.py").exists()
    assert not (last / "src").exists()


def test_a_step_that_fails_is_named(programs: Path) -> None:
    (programs / "bin" / "chroot").write_text("#!/bin/sh\necho no space left >&2\nexit 3\n")
    made = container.Container(programs, "https://mirror.invalid/debian/")
    (stage,) = container.stages("FROM debian:13\nRUN make it\n")
    with pytest.raises(container.StepFailed, match=r"make it failed \(3\)") as failed:
        made.build(stage)
    assert "no space left" in str(failed.value)
