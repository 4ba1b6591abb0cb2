"""What others can see of a password, and of everything else."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.hiding import in_arguments, in_environment

WORDS = st.sampled_from(
    [b"twistd", b"-n", b"--rundir", b"home", b"--name=home", b"--password-file", b"-p", b"", b"a#b", b"://"]
)
"""Arguments without a password."""
SECRETS = st.binary(max_size=8).map(lambda data: data.replace(b"\0", b"1"))
FORMS: st.SearchStrategy[tuple[list[bytes], list[bytes]]] = st.one_of(
    WORDS.map(lambda word: ([word], [])),
    SECRETS.map(lambda secret: ([b"--password", secret], [secret])),
    SECRETS.map(lambda secret: ([b"--password=" + secret], [secret])),
    SECRETS.map(lambda secret: ([b" Voicechat://h:1/room#" + secret], [secret])),
)


def block(strings: list[bytes]) -> bytes:
    return b"".join(string + b"\0" for string in strings)


@given(st.lists(FORMS, max_size=8))
def test_each_form_of_an_argument_and_nothing_else(forms: list[tuple[list[bytes], list[bytes]]]) -> None:
    arguments = block([argument for form, _ in forms for argument in form])
    spans = in_arguments(arguments)
    assert [arguments[first:last] for first, last in spans] == [secret for _, secrets in forms for secret in secrets]
    assert all(arguments[last] == 0 for _, last in spans), "to its end"


@given(
    st.lists(st.tuples(st.sampled_from([b"HOME", b"XVOICECHAT_PASSWORD", b"VOICECHAT_PASSWORD_FILE", b""]), SECRETS))
)
def test_only_the_variable_of_the_password(others: list[tuple[bytes, bytes]]) -> None:
    variables = [name + b"=" + value for name, value in others]
    environment = block([*variables, b"VOICECHAT_PASSWORD=home", *variables])
    ((first, last),) = in_environment(environment)
    assert environment[first:last] == b"home"
    assert environment[:first].endswith(b"\0VOICECHAT_PASSWORD=" if others else b"VOICECHAT_PASSWORD=")


@given(st.binary())
def test_any_bytes_at_all(data: bytes) -> None:
    for spans in (in_arguments(data), in_environment(data)):
        assert all(0 <= first <= last <= len(data) for first, last in spans)


def test_of_a_link_it_is_all_behind_the_mark() -> None:
    arguments = b"voicechat-client\0voicechat://h/den#a#b%20\0voicechat://h/den\0"
    assert [arguments[first:last] for first, last in in_arguments(arguments)] == [b"a#b%20"]


SHOWS = """
import ctypes, os
from pathlib import Path
from voicechat.hiding import hide
hide()
print(Path("/proc/self/cmdline").read_bytes())
print(Path("/proc/self/environ").read_bytes())
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
print(getenv(b"HOME"), getenv(b"XDG_RUNTIME_DIR"), os.environ["VOICECHAT_PASSWORD"])
"""


@pytest.mark.parametrize("password", ["home", "run", "-c", "VOICECHAT_PASSWORD=", "ö"])
def test_a_password_that_is_a_part_of_everything_spoils_nothing(password: str) -> None:
    """C libraries look for HOME in the memory in which we overwrite."""
    arguments = ["--rundir", password, "--password", password, f"--password={password}", f"--rundir={password}"]
    environment = {
        "HOME": f"/home/{password}",
        "VOICECHAT_PASSWORD": password,
        "XDG_RUNTIME_DIR": "/run/user/1",
        "LC_ALL": "C.UTF-8",
    }
    child = subprocess.run(
        [sys.executable, "-c", SHOWS, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    cmdline, environ, c_library = child.stdout.splitlines()
    data, out = password.encode(), b"x" * len(password.encode())
    shown = [b"--rundir", data, b"--password", out, b"--password=" + out, b"--rundir=" + data]
    assert cmdline.endswith(repr(block(shown))[2:])
    kept = [b"HOME=/home/" + data, b"VOICECHAT_PASSWORD=" + out, b"XDG_RUNTIME_DIR=/run/user/1", b"LC_ALL=C.UTF-8"]
    assert environ == repr(block(kept))
    assert c_library == f"{b'/home/' + data!r} b'/run/user/1' {password}"


@pytest.mark.parametrize("given", [["--host", "h", "--password", "zebra"], ["voicechat://h#zebra"]])
def test_the_client_hides_it_before_it_loads_anything_heavy(given: list[str]) -> None:
    """What comes before is seen by others: 0.3 s of libraries, when it was done where the password is needed."""
    words = [sys.executable, "-X", "importtime", "-m", "voicechat.client.cli", *given, "--output", "wav:/no/such/file"]
    child = subprocess.run(words, env={"VOICECHAT_CONFIG": "/dev/null"}, capture_output=True, text=True, check=False)
    loaded = [line.rpartition("|")[2].strip() for line in child.stderr.splitlines() if line.startswith("import time:")]
    assert "twisted" in loaded
    assert "numpy" in loaded
    before = loaded[: loaded.index("ctypes")]  # what hides needs it
    assert not {"twisted", "numpy", "hashlib", "voicechat.client.configuration", "voicechat.invite"}.intersection(
        before
    )
