"""One option, what its values mean, and a program's options together.

May import errors and ``voicechat.plain``. Knows no program, no command line and no file.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from voicechat.errors import ConfigError
from voicechat.plain import variable

VARIABLE: Final = "VOICECHAT_"

LONGEST_SHOWN: Final = 60
"""Characters of a value that was refused: enough to know it again."""

MISTYPED: Final = 2
"""Letters that a mistyped option may have more than the right one."""

_YES: Final = ("1", "yes", "true", "on")
_NO: Final = ("0", "no", "false", "off")

FILES: Final = ("FILE", "PATH")
FOLDERS: Final = ("DIR",)
"""What stands for a value that is a file, or a folder: shells complete it."""


class Refused(ConfigError):
    """A value that an option cannot have: ``needed`` is what it may be, ``value`` what it was, short; '' if secret."""

    def __init__(self, needed: str, value: str) -> None:
        super().__init__(f"{needed} is needed" + (f", not {value}" if value else ""))
        self.needed = needed
        self.value = value


def shown(value: object) -> str:
    """A value that was refused, for a person: short, and in one line."""
    try:
        text = repr(value)
    except ValueError:  # an integer beyond the limit of str()
        return "such a number"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


class Option(NamedTuple):
    """One option. On the command line it is ``--name``, in the environment ``VOICECHAT_NAME``, in a file ``name``."""

    name: str
    help: str
    kind: type = str
    """What its values are: str, int, float or bool."""
    default: Any = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    """The words that it may be; beside a number, where it is one."""
    between: tuple[float, float] = (0, 1e9)
    """Least and greatest number."""
    check: Callable[[str], object] = lambda _: None
    """ConfigError says what is wrong with a text."""
    kept: bool = True
    """It may stand in the environment, and in a file too; others are for this one run."""
    secret: bool = False
    """Its value is never shown; from the environment `voicechat.passwords` takes it."""
    short: str = ""
    """One letter that stands for it, too."""
    many: bool = False
    """It may be given again; its value is then a list. A variable has several with spaces between."""
    group: str = ""
    """What --help and the reference have above it; the same for those that stand together."""

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return VARIABLE + self.name.upper().replace("-", "_")

    @property
    def field(self) -> str:
        """Its name in the code."""
        return self.name.replace("-", "_")

    @property
    def value(self) -> str:
        """What stands for its value in --help."""
        return self.metavar or (f"{{{','.join(self.choices)}}}" if self.choices else "")

    @property
    def negatable(self) -> bool:
        """There is a ``--no-name`` as well, against what environment or file say."""
        return self.kind is bool and self.kept

    @property
    def usual(self) -> str:
        """Its default, for a person; '' where there is none worth telling."""
        if self.kind is bool:
            return ("on" if self.default else "off") if self.kept else ""
        return "" if self.default is None else str(self.default)

    @property
    def needed(self) -> str:
        """What its values are, in words."""
        if self.kind is bool:
            return "yes or no"
        if self.kind in (int, float):
            number = "a number" if self.kind is float else "a whole number"
            return " or ".join([*self.choices, f"{number} from {self.between[0]:g} to {self.between[1]:.15g}"])
        return f"one of {', '.join(self.choices)}" if self.choices else "a text"

    def understand(self, text: str) -> Any:
        """The value that a text means; `Refused`, or another ConfigError that says what is needed instead."""
        value: Any = None
        if text in self.choices:
            value = text
        elif self.kind is bool and text.lower() in _YES + _NO:
            value = text.lower() in _YES
        elif self.kind in (int, float):
            value = self._number(text)
        elif self.kind is str and not self.choices:
            self.check(text)
            value = text
        if value is None:
            raise self._refusal(text)
        return value

    def accept(self, value: object) -> Any:
        """The same for a value of a configuration file, which has a type; a device's number may be a number."""
        kinds: dict[type, tuple[type, ...]] = {str: (str,) if self.secret else (str, int), float: (float, int)}
        if type(value) in kinds.get(self.kind, (self.kind,)) or value in self.choices:
            try:
                text = str(value)
            except ValueError:  # an integer beyond its limit
                raise self._refusal(value) from None
            if "\0" not in text:
                return self.understand(text.lower() if self.kind is bool else text)
        raise self._refusal(value)

    def from_environment(self, environ: Mapping[str, str]) -> Any:
        """What its variable chooses; None if there is none, or an empty one. ConfigError as `understand`."""
        text = variable(environ, self.variable) if self.kept else ""
        if self.many:
            return [self.understand(word) for word in text.split()] or None
        return self.understand(text) if text else None

    def _number(self, text: str) -> Any:
        try:
            value = self.kind(text) if text.isascii() and "_" not in text else None
        except ValueError:
            return None
        return value if value is not None and self.between[0] <= value <= self.between[1] else None

    def _refusal(self, value: object) -> Refused:
        return Refused(self.needed, "" if self.secret else shown(value))


Options = tuple[Option, ...]
"""A program's, in the order of --help."""


def grouped(group: str, *options: Option) -> Options:
    """Options that stand together under one heading."""
    return tuple(option._replace(group=group) for option in options)


COMPLETION: Final = Option(
    "completion",
    "print what a shell needs to complete this command, and end",
    metavar="SHELL",
    choices=("bash", "zsh", "fish"),
    kept=False,
)
"""The option of each program that asks for `completion.script`."""


class Command(NamedTuple):
    """A word that may stand before all options, with options of its own."""

    help: str
    options: Options = ()
    values: str = ""
    """What has to stand behind it."""


class Program(NamedTuple):
    """A program as its documentation and shells have it."""

    name: str
    options: Options
    commands: Mapping[str, Command]
    exits: Mapping[Any, str]
    """Why it ends with which status."""


def unknown(word: str, options: Options) -> str:
    """What to tell about a word that is no option.

    It is not shown where it may hold a password that lost the space before it.
    """
    import difflib  # a fifth of the time of --help

    told = word.partition("=")[0]
    names = [option.name for option in options]
    longer = [name for name in names if told[2:].startswith(name)]
    near = next(iter(difflib.get_close_matches(told[2:], names, n=1) or longer), "")
    there = "such option" if near and len(told) > len(near) + 2 + MISTYPED else f"option {told}"
    return f"there is no {there}" + (f"; did you mean --{near}?" if near else "; see --help")
