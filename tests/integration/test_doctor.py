"""doctor, from the command line, against a real server and none."""

from collections.abc import Iterator

import pytest

from testkit.children import Children, Program, children
from testkit.processes import free_port
from voicechat.client.exits import Exit

ALONE = ("--input", "silence", "--output", "null")


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """All visits at once."""
    with children(tmp_path_factory.mktemp("doctor")) as home:
        yield all_of_them(home)


def all_of_them(home: Children) -> dict[str, Program]:
    wrong = home.folder / "wrong.txt"
    wrong.write_text("guess\n")
    server = home.server()

    def doctor(*options: str) -> Program:
        return home.start("voicechat-client", "doctor", *options)

    here = ("--host", "127.0.0.1", "--port", str(server.port))
    password = ("--password-file", str(home.password_file))
    return {
        "well": doctor(*here, *password, *ALONE),
        "refused": doctor(*here, "--password-file", str(wrong), *ALONE),
        "unreachable": doctor("--host", "127.0.0.1", "--port", str(free_port()), *password, *ALONE),
        "no device": doctor(*here, *password, "--input", "Gramophone", "--output", "null"),
        "no server": doctor(*ALONE),
    }


def test_all_is_well(visits: dict[str, Program]) -> None:
    it = visits["well"]
    assert it.end() == Exit.OK
    assert "ok       libopus is there" in it.out
    assert "lets you in over TCP" in it.out
    assert "ok       server: UDP gets through, both ways" in it.out
    assert "ok       round trip:" in it.out
    assert it.out.splitlines()[-1] == "a call will work"


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("refused", Exit.PASSWORD, "the password was refused"),
        ("unreachable", Exit.UNREACHABLE, "cannot reach 127.0.0.1"),
        ("no device", Exit.NO_DEVICE, "there is no input 'Gramophone'"),
        ("no server", Exit.USAGE, "give --host HOST"),
    ],
)
def test_what_is_wrong_is_told_with_the_clients_code(
    visits: dict[str, Program], case: str, code: Exit, words: str
) -> None:
    it = visits[case]
    assert it.end() == code, it.err
    failed = [line for line in it.out.splitlines() if line.startswith("fail")]
    assert any(words in line for line in failed), it.out
    assert it.out.splitlines()[-1].startswith("a call will not work yet")
