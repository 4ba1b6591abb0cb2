"""Ctrl-C, SIGTERM and ``q`` end the client within a second, whatever stands still.

What stands still here: the system's resolver (getaddrinfo of the child's Python, as a
name server that does not answer has it), PortAudio, a terminal's reader, a pipe for the
figures. Each would do so for much longer than a test may take.
"""

import json
import os
import signal
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.children import SOON, Children, Program, Server, stats
from testkit.terminal import Terminal

A_SECOND = 1.0

SLACK = 1.0
"""Seconds more for what else the machine of the tests has to do: the process' own end, other programs."""

RESOLVER = """
import socket, time
ask, asked = socket.getaddrinfo, []
def stand_still(*rest, **named):
    asked.append(1)
    if len(asked) > {honest}:
        if {told}:
            print("the resolver stands still", flush=True)
        time.sleep(600)
    return ask(*rest, **named)
socket.getaddrinfo = stand_still
"""

PORTAUDIO = """
import time
paContinue, paFloat32, paWASAPI, paMME = 0, 1, 13, 2
class Stream:
    def start_stream(self):
        import threading
        def call():
            while True:
                self.call(bytes(1920), 480, None, 0)
                time.sleep(0.01)
        threading.Thread(target=call, daemon=True).start()
    def stop_stream(self):
        print("the sound system stands still", flush=True)
        time.sleep(600)
    def close(self):
        pass
class PyAudio:
    def __init__(self):
        if {hangs_at_once}:
            print("the sound system stands still", flush=True)
            time.sleep(600)
    def get_host_api_info_by_type(self, kind):
        raise OSError(-9979, "Host API not found")
    def get_device_count(self):
        return 1
    def get_device_info_by_index(self, index):
        return {{"index": 0, "name": "Card", "maxInputChannels": 1, "maxOutputChannels": 1}}
    def get_default_input_device_info(self):
        return self.get_device_info_by_index(0)
    get_default_output_device_info = get_default_input_device_info
    def open(self, **named):
        stream = Stream()
        stream.call = named["stream_callback"]
        return stream
    def terminate(self):
        time.sleep(600)
"""


def path_with(folder: Path, name: str, text: str) -> dict[str, str]:
    """The variables of a child whose Python finds this module first."""
    place = folder / "first"
    place.mkdir(exist_ok=True)
    (place / name).write_text(text)
    return {"PYTHONPATH": str(place)}


def resolver(folder: Path, *, honest: int = 0, told: bool = True) -> dict[str, str]:
    """A child's resolver that stands still after so many honest answers."""
    return path_with(folder, "sitecustomize.py", RESOLVER.format(honest=honest, told=told))


def options(house: Children, port: int, host: str, *more: str) -> list[str]:
    words = ["voicechat-client", "--host", host, "--port", str(port), "--name", "Ann"]
    words += ["--password-file", str(house.password_file), "--ui", "line"]
    return [*words, *more]


def leave(program: Program, number: signal.Signals) -> int:
    """Send the signal; the exit code of a program that ends in time."""
    sent = time.monotonic()
    program.signal(number)
    code = program.end()
    assert time.monotonic() - sent < A_SECOND + SLACK
    assert "Traceback" not in program.out + program.err
    return code


BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])


@BOTH
def test_before_the_first_login(house: Children, number: signal.Signals, code: int) -> None:
    words = options(house, 1234, "play.example.org", "--input", "silence", "--output", "null")
    ann = house.start(*words, variables=resolver(house.folder))
    ann.line("the resolver stands still")
    assert leave(ann, number) == code


@BOTH
def test_while_it_tries_to_come_back_and_nothing_of_the_call_is_lost(
    house: Children, number: signal.Signals, code: int
) -> None:
    heard, figures = house.folder / "heard.wav", house.folder / "figures.json"
    server = house.server("--interface", "127.0.0.1")
    words = options(house, server.port, "localhost", "--input", "silence")
    words += ["--output", f"wav:{heard}", "--stats", str(figures)]
    ann = house.start(*words, variables=resolver(house.folder, honest=1))
    ann.line("you are in as Ann")
    server.program.signal(signal.SIGKILL)
    ann.line("the resolver stands still")
    assert leave(ann, number) == code
    assert stats(figures)["pakes"] >= 1
    with wave.open(str(heard)) as file:
        assert heard.stat().st_size == 44 + 2 * file.getnframes(), "its header says how long it is"
        assert file.getnframes() > 0


@BOTH
def test_of_a_sound_system_that_does_not_let_go(
    server: Server, house: Children, number: signal.Signals, code: int
) -> None:
    figures = house.folder / "figures.json"
    variables = path_with(house.folder, "pyaudio.py", PORTAUDIO.format(hangs_at_once=False))
    silent = ("--stats", str(figures), "--echo", "off")
    ann = house.start(*options(house, server.port, "127.0.0.1", *silent), variables=variables)
    ann.line("you are in as Ann")
    ann.line("wear headphones")
    assert leave(ann, number) == code
    assert "the sound system stands still" in ann.out
    assert stats(figures)["pakes"] == 1, "the figures are whole all the same"


def test_of_a_sound_system_that_hangs_at_the_start(house: Children) -> None:
    variables = path_with(house.folder, "pyaudio.py", PORTAUDIO.format(hangs_at_once=True))
    for words in (options(house, 1, "127.0.0.1"), ["voicechat-client", "doctor", "--host", "127.0.0.1"]):
        ann = house.start(*words, variables=variables)
        ann.line("the sound system stands still")
        assert leave(ann, signal.SIGINT) == 130


def test_of_doctor_whose_resolver_stands_still(house: Children) -> None:
    words = ["voicechat-client", "doctor", "--host", "play.example.org", "--input", "silence", "--output", "null"]
    words += ["--password-file", str(house.password_file)]
    ann = house.start(*words, variables=resolver(house.folder))
    ann.line("the resolver stands still")
    assert leave(ann, signal.SIGINT) == 130


def test_of_a_pipe_that_nobody_reads(server: Server, house: Children) -> None:
    pipe, heard = house.folder / "figures", house.folder / "heard.wav"
    os.mkfifo(pipe)
    words = options(house, server.port, "127.0.0.1", "--input", "silence", "--output", f"wav:{heard}")
    ann = house.start(*words, "--stats", str(pipe))
    ann.line("you are in as Ann")
    assert leave(ann, signal.SIGTERM) == 78
    assert f"cannot write {pipe}" in ann.err
    with wave.open(str(heard)) as file:
        assert heard.stat().st_size == 44 + 2 * file.getnframes()


def test_a_pipe_that_somebody_reads_gets_the_figures(server: Server, house: Children) -> None:
    pipe = house.folder / "figures"
    os.mkfifo(pipe)
    words = options(house, server.port, "127.0.0.1", "--input", "silence", "--output", "null", "--stats", str(pipe))
    ann = house.start(*words)
    ann.line("you are in as Ann")
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert leave(ann, signal.SIGTERM) == 0
        assert json.loads(os.read(reading, 1 << 16))["pakes"] == 1
    finally:
        os.close(reading)


@pytest.fixture
def screen(house: Children) -> Iterator[Terminal]:
    """A client on a terminal, whose resolver stands still."""
    words = options(house, 1234, "play.example.org", "--input", "silence", "--output", "null")
    words[words.index("line")] = "screen"
    held = Terminal(words, 80, 24, folder=house.folder, variables=resolver(house.folder, told=False))
    yield held
    held.close()


def test_q_on_the_screen(screen: Terminal) -> None:
    screen.until("connecting to play.example.org")
    pressed = time.monotonic()
    screen.type("q")
    screen.process.wait(SOON)
    assert time.monotonic() - pressed < A_SECOND + SLACK
    screen.wait(lambda: screen.restored)
    assert screen.process.returncode == 0
