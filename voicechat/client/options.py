"""Every option of the client, in one table.

The command line, the ``VOICECHAT_*`` variables, the keys of the configuration file, the
file that ``--write-config`` makes and the table in the README all come from `OPTIONS`: a
new option is one entry here, and `python -m docs.draw_options`.

Imports nothing heavy: --help is there at once.
"""

import argparse
import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from voicechat.errors import ConfigError
from voicechat.plain import variable

VARIABLE: Final = "VOICECHAT_"

LONGEST_SHOWN: Final = 60
"""Characters of a value that was refused: enough to know it again."""

_YES: Final = ("1", "yes", "true", "on")
_NO: Final = ("0", "no", "false", "off")


def _host(text: str) -> None:
    """ConfigError with what to type instead, if it is more than a host."""
    name, colon, port = text.rpartition(":")
    if "://" in text:
        raise ConfigError("a link stands alone, without --host")
    if colon and (":" not in name or name.endswith("]")) and port.isdigit():
        raise ConfigError(f"a host without its port is needed: --host {name.strip('[]')} --port {port}")
    if not text or not text.isprintable() or set(text) & set(" /#@[]"):
        raise ConfigError("the name or address of a machine is needed")
    if ":" in text and not _is_ipv6(text):
        raise ConfigError("a name has no colon, and this is no IPv6 address; the port is given with --port")


def shown(value: object) -> str:
    """A value that was refused, for a person: short, and in one line."""
    try:
        text = repr(value)
    except ValueError:  # an integer beyond the limit of str()
        return "such a number"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _is_ipv6(text: str) -> bool:
    import ipaddress

    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


class Option(NamedTuple):
    """One option. On the command line it is ``--name``, in the environment ``VOICECHAT_NAME``, in the file ``name``."""

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
    check: Callable[[str], None] = lambda _: None
    """ConfigError says what is wrong with a text."""
    kept: bool = True
    """It may stand in the environment and in the file too; others are for this one run."""
    secret: bool = False
    """Its value is never shown; from the environment `voicechat.passwords` takes it."""

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
    def usual(self) -> str:
        """Its default, for a person; '' where there is none worth telling."""
        if self.kind is bool:
            return ("on" if self.default else "off") if self.kept else ""
        return "" if self.default is None else str(self.default)

    @property
    def needed(self) -> str:
        """What its values are, in words."""
        if self.kind is bool:
            return "yes or no is needed"
        ways = [", ".join(self.choices)] if self.choices else []
        if self.kind in (int, float):
            number = "a number" if self.kind is float else "a whole number"
            ways.append(f"{number} from {self.between[0]:g} to {self.between[1]:.15g}")
        return (" or ".join(ways) or "a text") + " is needed"

    def understand(self, text: str) -> Any:
        """The value that a text means; ConfigError says what is needed instead."""
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
        """The same for a value of the configuration file, which has a type; a device's number may be a number."""
        kinds: dict[type, tuple[type, ...]] = {str: (str,) if self.secret else (str, int), float: (float, int)}
        if type(value) in kinds.get(self.kind, (self.kind,)) or value in self.choices:
            try:
                text = str(value)
            except ValueError:  # an integer beyond its limit
                raise self._refusal(value) from None
            if "\0" not in text:
                return self.understand(text.lower() if self.kind is bool else text)
        raise self._refusal(value)

    def _number(self, text: str) -> Any:
        try:
            value = self.kind(text) if text.isascii() and "_" not in text else None
        except ValueError:
            return None
        return value if value is not None and self.between[0] <= value <= self.between[1] else None

    def _refusal(self, value: object) -> ConfigError:
        return ConfigError(self.needed + ("" if self.secret else f", not {shown(value)}"))


OPTIONS: Final = (
    Option("host", "name or address of the server", metavar="HOST", check=_host),
    Option("port", "port of the server", int, 1234, metavar="PORT", between=(1, 65535)),
    Option("password", "the password (better: a file; wiped from the process list)", metavar="SECRET", secret=True),
    Option("password-file", "a file with the password; - is standard input", metavar="FILE"),
    Option("name", "what your friends call you; else your user name", metavar="NAME"),
    Option("room", "the room to enter; else the one that everybody enters", str, "", metavar="ROOM"),
    Option("input", "microphone: default, a name or number, wav:PATH, tone:HZ, silence", str, "default", "DEVICE"),
    Option("output", "headphones: default, a name or number, wav:PATH, null", str, "default", "DEVICE"),
    Option("talk", "what opens the microphone", str, "voice", choices=("voice", "push", "push-to-mute")),
    Option("ptt-key", "a key that talks in any window, on X11: F9, Pause, mouse8", metavar="KEY"),
    Option("path", "auto: sound over UDP where it works; tcp: never UDP", str, "auto", choices=("auto", "tcp")),
    Option("quality", "bytes or sound, for both directions", str, "normal", choices=("saver", "normal", "high")),
    Option("complexity", "how hard Opus tries; 5 spares a weak machine half of it", int, 8, "0-10", between=(0, 10)),
    Option("gate", "dBFS above which you are heard; auto learns the noise", float, "auto", "DB", ("auto",), (-90, 0)),
    Option("suppress", "noise suppression; strong needs RNNoise", str, "off", choices=("off", "light", "strong")),
    Option("loudness", "bring your voice to the level that all have", bool, True),
    Option("ui", "auto: screen on a terminal, else line", str, "auto", choices=("auto", "screen", "line")),
    Option("duration", "leave S seconds after entering", float, metavar="S"),
    Option("echo-test", "hear yourself as the server hears you, and how good that is", bool, False, kept=False),
    Option("stats", "write figures as JSON at the end", metavar="PATH"),
    Option("list-devices", "show the sound devices, and end", bool, False, kept=False),
    Option("config", "the configuration file; else $VOICECHAT_CONFIG or its usual place", metavar="FILE", kept=False),
    Option("write-config", "write a configuration file with what is given here, and end", bool, False, kept=False),
)
"""In the order of --help."""

KEPT: Final = {option.name: option for option in OPTIONS if option.kept}
"""Those of the environment and of the file, by name."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """All options, for the command line. What is not given there is None."""
    for option in OPTIONS:
        words = [f"default {option.usual}"] if option.usual else []
        words += [f"${option.variable}"] if option.kept else []
        told = option.help.replace("%", "%%") + (f" ({'; '.join(words)})" if words else "")
        settings: dict[str, Any] = {"help": told, "dest": option.field, "default": None}
        if option.kind is bool:
            settings["action"] = argparse.BooleanOptionalAction if option.kept else "store_true"
        else:
            settings["type"] = functools.partial(_argument, option)
            settings["metavar"] = option.value
        parser.add_argument(f"--{option.name}", **settings)


def _argument(option: Option, text: str) -> Any:
    try:
        return option.understand(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What ``VOICECHAT_*`` chooses, by the options' fields; the password is not asked for. ConfigError names it."""
    chosen = {}
    for option in KEPT.values():
        text = variable(environ, option.variable)
        if text and not option.name.startswith("password"):
            try:
                chosen[option.field] = option.understand(text)
            except ConfigError as error:
                raise ConfigError(f"{option.variable}: {error}") from None
    return chosen


def table() -> str:
    """The options as a table for the documentation."""
    rows = ["| option | default | environment | |", "|---|---|---|---|"]
    for option in OPTIONS:
        flag = f"`{f'--{option.name} {option.value}'.strip()}`"
        if option.kind is bool and option.kept:
            flag = f"`--{option.name}` `--no-{option.name}`"
        usual, variable = (f"`{text}`" if text else "" for text in (option.usual, option.kept * option.variable))
        rows.append(f"| {flag} | {usual} | {variable} | {option.help} |")
    return "\n".join(rows)
