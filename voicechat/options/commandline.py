"""A table of options as a command line of argparse's.

Whatever is wrong with it is one line, and ends the program with status 2. Writes to streams that may be
closed, full, or read by nobody.
"""

import argparse
import functools
import sys
from typing import Any, NoReturn

from voicechat import standard
from voicechat.errors import ConfigError
from voicechat.options.option import Option, Options


class Parser(argparse.ArgumentParser):
    """Takes options in full alone: a complaint about half of one would show its value, too."""

    def __init__(self, name: str, options: Options, description: str, epilog: str = "", operands: str = "") -> None:
        super().__init__(
            name,
            usage=f"{name} {operands}[options]",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.options = options

    def error(self, message: str) -> NoReturn:
        """End with one line."""
        self.exit(2, f"{self.prog}: error: {message}" + ("\n" if "--help" in message else "; see --help\n"))

    def _print_message(self, message: str, file: Any = None) -> None:
        (standard.write if file is sys.stdout else standard.warn)(message)

    def add_options(self) -> None:
        """All of the table, in its groups. What is not given is None."""
        groups: dict[str, Any] = {"": self}
        for option in self.options:
            if option.group not in groups:
                groups[option.group] = self.add_argument_group(option.group)
            _add(groups[option.group], option)


def _add(group: Any, option: Option) -> None:
    words = [f"default {option.usual}"] if option.usual else []
    words += [f"${option.variable}"] if option.kept else []
    told = option.help.replace("%", "%%") + (f" ({'; '.join(words)})" if words else "")
    settings: dict[str, Any] = {"help": told, "dest": option.field, "default": None}
    if option.kind is bool:
        settings["action"] = argparse.BooleanOptionalAction if option.negatable else "store_true"
    else:
        settings["type"] = functools.partial(_argument, option)
        settings["metavar"] = option.value
        settings["action"] = "append" if option.many else "store"
    names = [f"-{option.short}"] if option.short else []
    group.add_argument(*names, f"--{option.name}", **settings)


def _argument(option: Option, text: str) -> Any:
    try:
        return option.understand(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
