"""A table of options as what twistd asks for: an Options of ``twisted.python.usage``.

A mistake ends the program with one line on standard error, and not with the whole help.
"""

import os
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from twisted.python import usage

from voicechat import __version__, standard
from voicechat.errors import ConfigError
from voicechat.hiding import hide
from voicechat.options.option import Option, Options, Refused, unknown
from voicechat.server.options import ServerExit
from voicechat.wire.handshake import VERSION


class TableOptions(usage.Options):
    """The options of a table. A subclass names the table, what is typed to run the program, and what it says of it."""

    table: ClassVar[Options]
    command: ClassVar[str]
    longdesc: ClassVar[str] = ""
    examples: ClassVar[str] = ""
    synopsis = "[options]"

    def __init_subclass__(cls) -> None:
        for option in cls.table:
            for name, take in _takers(option).items():
                setattr(cls, f"opt_{name.replace('-', '_')}", take)

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, Any] = {}
        """What the command line chooses, by the options' names."""

    def __str__(self) -> str:
        from voicechat.options.commandline import Parser  # for --help alone

        parser = Parser(self.command, self.table, self.longdesc, self.examples)
        parser.add_options()
        parser.add_argument("--version", help="show the version, and end")
        return parser.format_help()

    def fail(self, code: int, text: str) -> NoReturn:
        """End with one line on standard error."""
        standard.warn(f"{self.command.split()[0].replace('twistd', 'voicechat')}: {text}\n")
        raise SystemExit(code)

    def parseOptions(self, options: Any = None) -> None:
        """Understand the command line; a mistake is one line."""
        hide()
        standard.open_closed()
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            told = str(error)
            if told.endswith(" not recognized"):
                told = unknown(told.split(" ")[1], self.table)
            self.fail(
                ServerExit.USAGE, told if "--help" in told else f"{told}; {self.command} --help lists the options"
            )
        except ConfigError as error:
            self.fail(ServerExit.CONFIG, str(error))
        except KeyboardInterrupt:  # in the midst of reading the password from a terminal or a pipe
            raise SystemExit(ServerExit.INTERRUPTED) from None

    def opt_help(self) -> NoReturn:
        """Show the options, and end."""
        standard.write(str(self))
        raise SystemExit(ServerExit.OK)

    def opt_version(self) -> NoReturn:
        """Show the version, and end."""
        standard.write(f"voicechat {__version__}, protocol {VERSION}\n")
        raise SystemExit(ServerExit.OK)

    opt_h = opt_help

    def take(self, option: Option, text: str) -> None:
        """An option of the command line, as it comes. What it cannot be ends the program."""
        value = self.understood(f"--{option.name}", lambda: option.understand(text))
        self.given[option.name] = [*self.given.get(option.name, []), value] if option.many else value

    def chosen(self, name: str) -> tuple[str, Any]:
        """Who chooses an option's value, and what that is; '' for the default. What it cannot be ends the program."""
        (option,) = [option for option in self.table if option.name == name]
        if name in self.given:
            return f"--{name}", self.given[name]
        value = self.understood(option.variable, lambda: option.from_environment(os.environ))
        return ("", option.default) if value is None else (option.variable, value)

    def understood(self, giver: str, understand: Callable[[], Any]) -> Any:
        """What ``understand`` gives; if it cannot, ``giver`` is told, and the program ends."""
        try:
            return understand()
        except Refused as error:
            self.fail(ServerExit.USAGE, f"{giver} is {error.needed}, not {error.value}")
        except ConfigError as error:
            self.fail(ServerExit.USAGE, f"{giver}: {error}")


def _takers(option: Option) -> dict[str, Callable[..., None]]:
    """What `usage.Options` is to call for an option, by the names under which it may be given."""

    def text(self: TableOptions, text: str) -> None:
        self.take(option, text)

    def yes(self: TableOptions) -> None:
        self.given[option.name] = True

    def no(self: TableOptions) -> None:
        self.given[option.name] = False

    if option.kind is bool:
        return {option.name: yes} | ({f"no-{option.name}": no} if option.negatable else {})
    return dict.fromkeys([option.name, *option.short], text)
