"""``voicechat-server``: the service of ``twistd voicechat`` in the foreground, and what a host needs around it.

    voicechat-server [options]        serve; without a password one is made, and kept in the state folder
    voicechat-server invite           print the link that friends need
    voicechat-server new-password     make a password

The service, its options and its runner are twistd's; no plugin is looked for. The log is for a
person who looks on: `sinks.brief`.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from voicechat import passwords, standard
from voicechat.errors import ConfigError, DeviceError, WireError
from voicechat.hiding import hide
from voicechat.invite import Invite
from voicechat.options.option import COMPLETION, Command, Option, Program
from voicechat.server import sinks, state
from voicechat.server.hosting import HostOptions
from voicechat.server.options import BECAUSE, OPTIONS, ServerExit, named, public
from voicechat.server.tap import Options
from voicechat.wire import text as texts

if TYPE_CHECKING:
    from voicechat.server.router.wire import Address

NAME: Final = "voicechat-server"

_FOR_INVITES: Final = ("state", "port", "listen", "public-host")
"""Options of the server that `invite` needs to hear again, beside where the password is."""


def _room(text: str) -> None:
    """ConfigError if no room can have this name."""
    try:
        texts.room(text)
    except WireError as error:
        raise ConfigError(str(error)) from None


INVITE: Final = (
    Option("host", "the name or address in the link, with :PORT; else --public-host, else all of this machine's",
           metavar="HOST", check=public, kept=False),
    Option("room", "the room that the link leads to", metavar="ROOM", check=_room, kept=False),
    Option("qr", "draw the link as a QR code, too", bool, kept=False),
    *OPTIONS,
)  # fmt: skip

NEW_PASSWORD: Final = (
    Option("keep", "put it in the password file, or else the state folder, in place of the old one, and do not show it",
           bool, kept=False),
    *(named(name) for name in ("password-file", "state")),
)  # fmt: skip

PROGRAM: Final = Program(
    NAME,
    (*OPTIONS, COMPLETION),
    {
        "invite": Command("print the link that friends need", INVITE),
        "new-password": Command("make a password", NEW_PASSWORD),
    },
    BECAUSE,
)
"""What docs/reference.md and shells are told of it."""


class Serve(Options):
    """``voicechat-server`` itself: twistd's options without twistd's own."""

    table = PROGRAM.options
    command = NAME
    longdesc = """\
A voice chat server for a few friends. Forward its port, TCP and UDP, on your router.

commands, before all options (--help behind one shows its own):
  invite         print the link that friends need
  new-password   make a password
"""
    always_keeps = True
    line = staticmethod(sinks.brief)
    asks = True
    probes = True

    def parseArgs(self, *words: str) -> None:
        """A word that is no option is a command in the wrong place, or a wrong one; it may be a password, too."""
        for word in words:
            here = f"a command stands before all options: {NAME} {word} ..." if word in PROGRAM.commands else ""
            self.fail(
                ServerExit.USAGE,
                here or f"there are the commands {', '.join(PROGRAM.commands)}, and options; see --help",
            )

    def postOptions(self) -> None:
        """The same, and how to invite."""
        if COMPLETION.name in self.given:
            from voicechat.options.completion import script

            standard.write(script(PROGRAM, self.given[COMPLETION.name]))
            raise SystemExit(ServerExit.OK)
        by_hand = "password" in self.given
        super().postOptions()
        words = [_typed(), "invite"]
        if by_hand or self.given.get("password-file") == "-" or "CREDENTIALS_DIRECTORY" in os.environ:
            words += ["--password-file", "FILE"]
        elif "password-file" in self.given:
            words += ["--password-file", self.given["password-file"]]
        for name in _FOR_INVITES:
            value = self.given.get(name, [])
            for one in value if isinstance(value, list) else [value]:
                words += [f"--{name}", str(one)]
        self.to_invite = f"print the link for your friends with: {shlex.join(words)}"


class InviteOptions(HostOptions):
    """``voicechat-server invite``: of a server that runs, or that these options will start.

    Of one that keeps its password the port is known, too.
    """

    table = INVITE
    command = f"{NAME} invite"
    longdesc = "Print the link that friends need. Give it the options that the server was given."
    always_keeps = True

    def postOptions(self) -> None:
        """Find what stands in the link."""
        for name in ("room", "qr"):
            self[name] = self.chosen(name)[1]
        self.find_password(make=False)

    def invite(self) -> Invite:
        """The invitation; without a host if none is known."""
        host, port = self.outer("host")
        if not host:
            host, port = self.outer("public-host")
        port = port or self._port()
        if port == 0:
            self.fail(ServerExit.USAGE, "the server takes any port that is free: name it with --port")
        return Invite(host, port, self["room"] or "", self["password"])

    def mapped(self, port: int) -> "tuple[tuple[Address, int] | None, str]":
        """By which address and port the router passes on to ours; if in vain, why."""
        from voicechat.server.router import memory, verdict

        folder = self.folder_if_any()
        kept = memory.remembered(folder) if folder is not None else None
        reached = kept.reached_at if kept is not None and kept.inner == port else None
        if reached is None:
            return None, ""
        what = verdict.verdict(reached[0])
        if what is verdict.Reach.OUTSIDE:
            return reached, ""
        return None, f"Your router opened port {reached[1]}, but {what.value}."

    def _port(self) -> int:
        """The number that the server listens on."""
        giver, strings = self.chosen("listen")
        if giver and not self.given.get("port"):
            numbers = [part for text in strings for part in text.split(":")[1:2] if part.isdecimal()]
            if numbers:
                return int(numbers[0])
        giver, port = self.chosen("port")
        remembered = state.remembered_port(self.kept_in) if self.kept_in is not None and not giver else None
        return remembered or int(port)


class NewPasswordOptions(HostOptions):
    """``voicechat-server new-password``."""

    table = NEW_PASSWORD
    command = f"{NAME} new-password"
    longdesc = "Make a password that cannot be guessed, and print it; or keep it for the server."
    always_keeps = True


def _typed() -> str:
    """What is to be typed to run this program."""
    found = shutil.which(Path(sys.argv[0]).name)
    same = found is not None and Path(found).resolve() == Path(sys.argv[0]).resolve()
    return Path(sys.argv[0]).name if same else sys.argv[0]


def _serve(words: Sequence[str]) -> int:
    """Run until it is stopped, as ``twistd -n voicechat`` does."""
    from twisted.application.service import ServiceMaker
    from twisted.scripts.twistd import ServerOptions, runApp  # type: ignore[attr-defined]

    class Runner(ServerOptions):
        """twistd with one command and no plugins."""

        subCommands: ClassVar[Any] = [(NAME, None, Serve, "")]

    config = Runner()
    config.loadedPlugins = {NAME: ServiceMaker(NAME, "voicechat.server.tap", "", NAME)}
    no_pidfile = ["--pidfile="] if "pidfile" in config else []  # Windows' twistd knows none
    config.parseOptions(["--nodaemon", *no_pidfile, NAME, *words])
    runApp(config)
    return ServerExit.OK


def _invite(words: Sequence[str]) -> int:
    from voicechat.server import invitation

    options = InviteOptions()
    options.parseOptions(words)
    invite = options.invite()
    own = [] if invite.host else invitation.addresses()
    mapped, but = options.mapped(invite.port)
    links = invitation.links(invite, own, mapped)
    told = links[0][1] if invite.host else invitation.told(invite, own, mapped, but)
    if options["qr"]:
        half_blocks = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        told += "\n\n" + invitation.code(links[0][1], half_blocks=half_blocks, colours=sys.stdout.isatty())
    standard.write(f"{told}\n")
    return ServerExit.OK


def _new_password(words: Sequence[str]) -> int:
    from voicechat.security import secret

    options = NewPasswordOptions()
    options.parseOptions(words)
    if not options.given.get("keep"):
        standard.write(f"{secret.generate().reveal()}\n")
        return ServerExit.OK
    file = options.kept_password() or passwords.file_of(None, options.given.get("password-file"), os.environ)
    if file in (None, "-"):
        options.fail(ServerExit.USAGE, "there is no file to keep it in: --password-file FILE names one")
    state.new_password(state.located(str(file)))
    standard.write(f"a new password is kept in {file}; a server that runs reads it again at SIGHUP\n")
    return ServerExit.OK


_COMMANDS: Final = {"invite": _invite, "new-password": _new_password}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    hide()
    standard.open_closed()
    words = list(sys.argv[1:] if argv is None else argv)
    do = _COMMANDS.get(words[0]) if words else None
    try:
        return _serve(words) if do is None else do(words[1:])
    except ConfigError as error:
        standard.warn(f"{NAME}: {error}\n")
        return ServerExit.CONFIG
    except DeviceError as error:
        standard.warn(f"{NAME}: {error}\n")
        return ServerExit.FAILURE
    except KeyboardInterrupt:
        return ServerExit.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
