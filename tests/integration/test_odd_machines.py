"""Real clients on machines that are not as ours: signals ignored, descriptors closed, disks full, no home, no account.

All of them start at once, in one server; each test looks at one.
"""

import signal
import wave
from collections.abc import Iterator

import pytest

from testkit.children import Children, Program, children
from testkit.processes import command

SECONDS = "1.5"

MACHINES = {
    "all closed": 'exec "$@" <&- >&- 2>&-',
    "no input": 'exec "$@" <&-',
    "no output": 'exec "$@" >&-',
    "a reader that is gone": '("$@"; echo $? > "$0") | :; exit "$(cat "$0")"',
    "output that is full": 'exec "$@" > /dev/full',
    "a full disk": 'ulimit -f 40; exec "$@" --output "wav:$0.wav"',
    "figures on a full disk": 'exec "$@" --stats /dev/full',
    "a home that is none": 'unset VOICECHAT_CONFIG XDG_STATE_HOME XDG_CONFIG_HOME; HOME=/dev/null exec "$@"',
    "a relative home": 'unset VOICECHAT_CONFIG; HOME=here XDG_CONFIG_HOME=/dev/null XDG_STATE_HOME=/dev/null exec "$@"',
    "no home": 'unset HOME; exec "$@"',
    "empty variables": "exec env VOICECHAT_PORT= VOICECHAT_NAME= VOICECHAT_PASSWORD= VOICECHAT_UI= VOICECHAT_CONFIG= "
    "VOICECHAT_DURATION= VOICECHAT_LOUDNESS= XDG_RUNTIME_DIR= TMPDIR= TERM= LANG= HOME= "
    'XDG_CONFIG_HOME=/dev/null XDG_STATE_HOME=/dev/null "$@"',
    "an unknown locale": 'LC_ALL=xx_YY.KOI8-R LANG=xx exec "$@"',
    "a plain locale": 'LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 exec "$@"',
    "a path too long for a socket": f'mkdir -m 700 -p "$0{"x" * 60}"; XDG_RUNTIME_DIR="$0{"x" * 60}" exec "$@"',
}
"""Shell commands: ``$@`` is the client, ``$0`` a path of its own."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    """Children with a short path: sockets have one."""
    with children(tmp_path_factory.mktemp("odd")) as held:
        yield held


def client(home: Children, machine: str, port: int, name: str, *options: str) -> Program:
    """A client on a machine."""
    words = ["--host", "127.0.0.1", "--port", str(port), "--password-file", str(home.password_file), "--name", name]
    words += ["--input", "silence"] + ([] if "wav:" in machine else ["--output", "null"])
    return home.start("sh", "-c", machine, str(home.folder / name), command("voicechat-client"), *words, *options)


@pytest.fixture(scope="module")
def ended(home: Children) -> dict[str, Program]:
    """A client of each machine, at its end."""
    server = home.server("--max-clients", "16")
    started = {
        what: client(home, machine, server.port, f"M{number}", "--duration", SECONDS)
        for number, (what, machine) in enumerate(MACHINES.items())
    }
    for what, program in started.items():
        program.end()
        server.program.line(f"'M{list(MACHINES).index(what)}' entered room")
    return started


@pytest.mark.parametrize(
    "machine", [what for what in MACHINES if what not in ("a full disk", "figures on a full disk")]
)
def test_the_call_is_as_anywhere(ended: dict[str, Program], machine: str) -> None:
    program = ended[machine]
    assert program.end() == 0, program.err
    assert program.err == ""
    if "output" not in machine and "closed" not in machine and "gone" not in machine:
        assert "you are in as M" in program.out


def test_a_recording_on_a_full_disk_is_told_and_can_be_played(ended: dict[str, Program], home: Children) -> None:
    program = ended["a full disk"]
    assert program.end() == 74
    assert program.err.count("\n") == 1
    assert "ends here, the call goes on: File too large" in program.err
    with wave.open(str(home.folder / f"M{list(MACHINES).index('a full disk')}.wav"), "rb") as file:
        assert file.getnframes() == (40 * 512 - 44) // 2


def test_figures_on_a_full_disk_are_told(ended: dict[str, Program]) -> None:
    program = ended["figures on a full disk"]
    assert program.end() == 78
    assert program.err == "voicechat-client: cannot write /dev/full: No space left on device\n"


def test_signals_that_were_ignored_stay_ignored_and_the_others_end_the_call(home: Children) -> None:
    server = home.server()
    signals = {"HUP": signal.SIGHUP, "INT": signal.SIGINT, "TERM": signal.SIGTERM}
    machine = 'trap "" {}; exec "$@"'
    deaf = {name: client(home, machine.format(name), server.port, name) for name in signals}
    for name, program in deaf.items():
        program.line("you are in as")
        program.signal(signals[name])
    # A client that heard it would be gone before this one has come: it takes two seconds to start.
    late = client(home, 'exec "$@"', server.port, "Late", "--duration", "0.2")
    assert late.end() == 0
    ends = {"HUP": (signal.SIGTERM, 0), "INT": (signal.SIGTERM, 0), "TERM": (signal.SIGINT, 130)}
    for name, program in deaf.items():
        assert "Late joined" in program.out, f"{name} ended it"
        program.signal(ends[name][0])
        assert program.end() == ends[name][1]


def test_without_an_input_a_missing_password_is_one_line(home: Children) -> None:
    words = [command("voicechat-client"), "--host", "127.0.0.1", "--input", "silence", "--output", "null"]
    for more in ([], ["--password-file", "-"]):
        program = home.start("sh", "-c", 'exec "$@" <&-', "sh", *words, *more)
        assert program.end() == 78
        assert program.err.count("\n") == 1


def test_doctor_and_the_control_go_on_without_a_reader(home: Children) -> None:
    doctor = 'exec "$0" doctor --input silence --output null | :'
    program = home.start("sh", "-c", doctor, command("voicechat-client"))
    assert program.end() == 0
    assert program.err == ""
    for closing in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
        program = home.start("sh", "-c", f'exec "$0" stats {closing}', command("voicechat-ctl"))
        assert program.end() == 69
        assert "Traceback" not in program.err


def test_no_home_is_no_reason_to_make_one_where_we_are(ended: dict[str, Program], home: Children) -> None:
    assert {ended[what].end() for what in ("no home", "a relative home")} == {0}
    assert not (home.folder / "~").exists()
    assert not (home.folder / "here").exists()
