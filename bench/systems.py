"""Systems that can be measured: voicechat itself, or any other whose two commands are given.

May import the standard library and the demo's children. A command is split as a shell
would and run without one; in it stand {host} (the server's address as that client sees
it), {port}, {k} (the client's number from 0), {home} (a folder of its own), and for
voicechat itself {password}, {mixing}, {bitrate}, {quality}, {seats} and {stats} too.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testkit.processes import command


@dataclass(frozen=True)
class System:
    """How a server and a client are started, and how one sees that they are ready."""

    name: str
    server: str
    """Empty: there is none, clients find each other."""
    client: str
    listens: str = ""
    """In what the server writes, once clients may come; empty: a second later."""
    entered: str = ""
    """In what a client writes, once it is in; empty: not told."""
    mute: str = ""
    """What mutes the client of process {pid}, whose runtime folder is {run}; empty: it cannot be told."""
    ours: bool = False

    def server_command(self, words: Mapping[str, object]) -> list[str]:
        """The server's arguments."""
        return [part.format_map(words) for part in shlex.split(self.server)]

    def mute_command(self, words: Mapping[str, object]) -> list[str]:
        """The arguments of what mutes a client."""
        return [part.format_map(words) for part in shlex.split(self.mute)]

    def client_command(self, words: Mapping[str, object]) -> list[str]:
        """A client's arguments."""
        return [part.format_map(words) for part in shlex.split(self.client)]


def voicechat() -> System:
    """This project; FileNotFoundError if it is not installed."""
    return System(
        "voicechat",
        f"{shlex.quote(command('twistd'))} -n --pidfile= voicechat --password-file {{password}} --port {{port}} "
        "--max-clients {seats} --mixing {mixing} --bitrate {bitrate}",
        f"{shlex.quote(command('voicechat-client'))} --host {{host}} --port {{port}} --password-file {{password}} "
        "--name friend{k} --ui line --quality {quality} --stats {stats}",
        listens="listening on port",
        entered="you are in as",
        mute=f"{shlex.quote(command('voicechat-ctl'))} --socket {{run}}/voicechat/client-{{pid}}.sock mute",
        ours=True,
    )


LOOP_THROUGH: Final = "testkit.loopback"
"""Copies microphone to loudspeaker in PyAudio's callback, in blocks of 480: the floor under CPU time and delay."""
