"""Where the log goes: terminals and pipes, files, syslog."""

import errno
import os
import stat
import syslog
from contextlib import closing
from pathlib import Path

import pytest
from twisted.logger import LogEvent, Logger
from twisted.scripts.twistd import ServerOptions  # type: ignore[attr-defined]

from voicechat.server import sinks
from voicechat.server.sinks import LONGEST, File, LogLine, Stream, Syslog


def event(text: str) -> LogEvent:
    events: list[LogEvent] = []
    Logger("test", observer=events.append).info("{text}", text=text)  # type: ignore[arg-type]
    return events[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("ascii", "Žofie 💬", "\\u017dofie \\U0001f4ac"),
        ("latin-1", "Žofie é", "\\u017dofie é"),
        ("utf-8", "Žofie \udcff", "Žofie \\udcff"),
        ("utf-16", "Žofie", "Žofie"),
    ],
)
def test_a_sign_that_the_encoding_lacks_is_escaped(encoding: str, text: str, written: str) -> None:
    reading, writing = os.pipe()
    stream = Stream(writing, encoding)
    for _ in range(2):
        line = stream.line(event(text))
        assert line is not None
        stream.write(line)
    os.close(writing)
    with open(reading, encoding=encoding) as pipe:  # noqa: PTH123  a descriptor
        lines = pipe.read().splitlines()
    assert [line.partition("] ")[2] for line in lines] == [written] * 2


@pytest.mark.parametrize("moved", [True, False])
def test_a_file_that_was_moved_or_removed_is_begun_anew(tmp_path: Path, *, moved: bool) -> None:
    path, old = tmp_path / "log", tmp_path / "old"
    with closing(File(str(path))) as file:
        file.write(LogLine("one\n"))
        if moved:
            path.rename(old)
        else:
            path.unlink()
        file.rotate()
        file.write(LogLine("two\n"))
    assert path.read_text() == "two\n"
    assert mode(path) == 0o600
    assert not moved or old.read_text() == "one\n"


def test_a_file_whose_folder_was_moved_is_written_on(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with closing(File(str(folder / "file"))) as file:
        file.write(LogLine("one\n"))
        folder.rename(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="No such file"):
            file.rotate()
        file.write(LogLine("two\n"))
    assert (tmp_path / "elsewhere" / "file").read_text() == "one\ntwo\n"


def test_a_stream_that_somebody_made_non_blocking_gets_all_of_it() -> None:
    import threading

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = bytearray()

    def read() -> None:
        while data := os.read(reading, 1000):
            got.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    Stream(writing, "utf-8").write(LogLine("x" * 300_000))
    os.close(writing)
    reader.join()
    os.close(reading)
    assert len(got) == 300_000


def test_a_line_without_end_is_cut() -> None:
    line = sinks.classic(event("x" * 10 * LONGEST))
    assert line is not None
    assert len(line.text) == LONGEST + 1
    assert line.text.endswith(" ... (cut)\n")


@pytest.fixture
def no_umask() -> object:
    before = os.umask(0)
    yield None
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_a_file_is_its_owners_alone_a_new_one_too_and_one_that_was_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "voicechat.log"
    path.write_text("old\n")
    path.chmod(0o644)
    with closing(File(str(path))) as file:
        assert mode(path) == 0o600
        file.write(LogLine("one\n"))
        file.rotate()
        file.write(LogLine("two\n"))
    assert {entry.name: (mode(entry), entry.read_text()) for entry in tmp_path.iterdir()} == {
        "voicechat.log": (0o600, "two\n"),
        "voicechat.log.1": (0o600, "old\none\n"),
    }
    File(str(tmp_path / "new.log")).close()
    assert mode(tmp_path / "new.log") == 0o600


def test_a_file_of_a_megabyte_becomes_an_old_one(tmp_path: Path) -> None:
    with closing(File(str(tmp_path / "log"))) as file:
        for _ in range(60):
            file.write(LogLine("é" * 10_000))
    assert (tmp_path / "log.1").stat().st_size < 1_100_000
    assert mode(tmp_path / "log.1") == 0o600


def test_a_fault_does_not_end_a_file(tmp_path: Path) -> None:
    """Twisted's file is closed for good when a rotation fails: here the name of the old file is too long."""
    path = tmp_path / ("x" * 254)
    with closing(File(str(path))) as file:
        file.write(LogLine("one\n"))
        with pytest.raises(OSError, match="too long"):
            file.rotate()
        file.write(LogLine("two\n"))
    assert path.read_text() == "one\ntwo\n"


def test_a_full_disk_is_an_error_and_not_the_end() -> None:
    """Of what is written to it the log keeps the number; /dev/full is a disk that is always full (full(4))."""
    full = sinks.opened("/dev/full")
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            full.write(LogLine("one\n"))


def test_no_device_or_pipe_is_changed_or_waited_for(tmp_path: Path) -> None:
    """`--logfile=/dev/null` of a user root would else have taken it from all others."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o644)
    for path in ("/dev/null", str(fifo)):
        before = Path(path).stat()
        sink = sinks.opened(path)  # nobody reads the pipe
        assert isinstance(sink, Stream)
        sink.write(LogLine("one\n"))
        sink.rotate()
        assert Path(path).stat().st_mode == before.st_mode


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    sink = sinks.opened(str(tmp_path / "link"))
    assert isinstance(sink, File)
    with closing(sink):
        sink.write(LogLine("one\n"))
        sink.rotate()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file.1").read_text() == "one\n"


def test_what_cannot_be_a_log_is_an_error(tmp_path: Path) -> None:
    for path, number in ((tmp_path / "no" / "such" / "log", errno.ENOENT), (tmp_path, errno.EISDIR)):
        with pytest.raises(OSError, match=r".") as told:
            sinks.opened(str(path))
        assert told.value.errno == number


def test_syslog_gets_each_line_of_a_fault_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "openlog", lambda prefix: got.append((0, prefix)))
    monkeypatch.setattr(syslog, "syslog", lambda priority, text: got.append((priority, text)))
    sink = Syslog("voice")
    events: list[LogEvent] = []
    logger = Logger("test", observer=events.append)  # type: ignore[arg-type]
    logger.info("a\0b\udcff")
    try:
        dict[str, int]()["k"]
    except KeyError:
        logger.failure("a fault")
    for happened in events:
        line = sink.line(happened)
        assert line is not None
        sink.write(line)
    assert got[:3] == [(0, "voice"), (syslog.LOG_INFO, "[test#info] a\\0b\\udcff"), (syslog.LOG_ALERT, got[2][1])]
    assert "a fault" in got[2][1]
    assert got[-1] == (syslog.LOG_ALERT, "builtins.KeyError: 'k'")


def test_where_the_options_of_twistd_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path(os.devnull).open("w") as null:  # pytest's own standard output has no number
        monkeypatch.setattr("sys.stdout", null)
        found = {}
        for words in ("", "-n", "-n --logfile=-", "-n --logfile=x.log", "--syslog"):
            options = ServerOptions()
            options.parseOptions([*words.split(), "-y", "some.tac"])
            sink = sinks.chosen(options)
            found[words] = type(sink)
            if isinstance(sink, File):
                sink.close()
    assert found == {"": File, "-n": Stream, "-n --logfile=-": Stream, "-n --logfile=x.log": File, "--syslog": Syslog}
    assert {path.name for path in tmp_path.iterdir()} == {"twistd.log", "x.log"}
