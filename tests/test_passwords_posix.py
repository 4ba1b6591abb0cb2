"""Where a password comes from, and what is left of it: what there is on POSIX alone, modes, pipes and /proc."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voicechat import passwords
from voicechat.errors import ConfigError

TEXT = "Tr0ub4dor-staple"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(f"{TEXT}\n")
    path.chmod(0o600)
    return path


def test_files_that_others_may_read_are_noticed(file: Path) -> None:
    assert not passwords.readable_by_others(str(file))
    file.chmod(0o640)
    assert passwords.readable_by_others(str(file))
    assert not passwords.readable_by_others(str(file) + ".missing")


SCRUBS = """
import os, sys
from pathlib import Path
from voicechat import passwords
given = sys.argv[2]
assert passwords.find(given, None, os.environ).reveal() == given
print(Path("/proc/self/cmdline").read_bytes().replace(b"\\0", b" "))
print(Path("/proc/self/environ").read_bytes().replace(b"\\0", b" "))
print(os.environ.get("VOICECHAT_PASSWORD"))
"""


def test_nothing_of_it_is_left_for_others_to_see() -> None:
    child = subprocess.run(
        [sys.executable, "-c", SCRUBS, "--password", TEXT, f"--password={TEXT}"],
        env={"VOICECHAT_PASSWORD": TEXT + "2", "KEPT": "this"},
        capture_output=True,
        text=True,
        check=True,
    )
    arguments, environment, variable = child.stdout.splitlines()
    assert TEXT not in child.stdout
    assert arguments.count("x" * len(TEXT)) == 2
    assert "--password xxxx" in arguments
    assert "KEPT=this" in environment
    assert "VOICECHAT_PASSWORD=xxxx" in environment
    assert variable == "None"


def test_what_cannot_be_read_again_is_not_waited_for(tmp_path: Path, file: Path) -> None:
    """The server would stand still until somebody writes to the pipe."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no file that can be read again"):
        passwords.from_file_again(str(tmp_path / "pipe"))
    assert passwords.from_file_again(str(file)).reveal() == TEXT
    with pytest.raises(ConfigError, match="No such file"):
        passwords.from_file_again(str(tmp_path / "gone"))
