"""Every option of the client, in one table.

The command line, the ``VOICECHAT_*`` variables, the keys of the configuration file, the
file that ``--write-config`` makes, completion in shells and the table in docs/reference.md all
come from `OPTIONS`: a new option is one entry here, and `python -m docs.draw_options`.

Imports nothing heavy: --help is there at once.
"""

from collections.abc import Mapping
from typing import Any, Final

from voicechat.errors import ConfigError
from voicechat.options.option import COMPLETION, Option, Options, grouped, shown


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


def _is_ipv6(text: str) -> bool:
    import ipaddress

    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


KINDS: Final = ("joins", "text", "trouble", "talk")
"""What line mode may tell, or not: friends who come, go, mute themselves; text lines; what is wrong, the connection
too; who starts and stops talking. All else is an answer, or said once."""


def kinds(text: str) -> frozenset[str]:
    """The kinds of lines in a text that has commas between them. ConfigError names what is none."""
    chosen = [word.strip() for word in text.split(",") if word.strip()]
    for word in chosen:
        if word not in KINDS:
            raise ConfigError(f"say: some of {', '.join(KINDS)} are needed, with commas between, not {shown(word)}")
    return frozenset(chosen)


OPTIONS: Final[Options] = (
    *grouped(
        "where to go, and who you are",
        Option("host", "name or address of the server", metavar="HOST", check=_host),
        Option("port", "port of the server", int, 1234, metavar="PORT", between=(1, 65535)),
        Option("password", "the password (better: a file; wiped from the process list)", metavar="SECRET", secret=True),
        Option("password-file", "a file with the password; - is standard input", metavar="FILE"),
        Option("name", "what your friends call you; else your user name", metavar="NAME"),
        Option("room", "the room to enter; else the one that everybody enters", str, "", metavar="ROOM"),
    ),
    *grouped(
        "sound",
        Option("input", "microphone: default, a name or number, wav:PATH, tone:HZ, silence", str, "default", "DEVICE"),
        Option("output", "headphones: default, a name or number, wav:PATH, null", str, "default", "DEVICE"),
        Option("talk", "what opens the microphone", str, "voice", choices=("voice", "push", "push-to-mute")),
        Option("ptt-key", "a key that talks in any window, on X11 and Windows: F9, Pause, mouse8", metavar="KEY"),
        Option("path", "auto: sound over UDP where it works; tcp: never UDP", str, "auto", choices=("auto", "tcp")),
        Option("quality", "bytes or sound, for both directions", str, "normal", choices=("saver", "normal", "high")),
        Option("complexity", "how hard Opus tries; 5 spares a weak machine half of it", int, 8, "0-10", (), (0, 10)),
        Option(
            "gate", "dBFS above which you are heard; auto learns the noise", float, "auto", "DB", ("auto",), (-90, 0)
        ),
        Option("suppress", "noise suppression; strong needs RNNoise", str, "off", choices=("off", "light", "strong")),
        Option(
            "echo",
            "cancel the echo of loudspeakers: auto, where there is one",
            str,
            "auto",
            choices=("auto", "on", "off"),
        ),
        Option("enhance", "what you hear, by libopus 1.5 and later", str, "auto", choices=("auto", "off")),
        Option("loudness", "bring your voice to the level that all have", bool, True),
        Option(
            "cues",
            "short tones for what you do not see in a game; auto: all, but into no recording",
            default="auto",
            choices=("auto", "on", "important", "off"),
        ),
    ),
    *grouped(
        "this run, and the program",
        Option("ui", "auto: screen on a terminal, else line", str, "auto", choices=("auto", "screen", "line")),
        Option(
            "say",
            "what line mode tells, talk perhaps, too; else all, but no talk on a terminal",
            metavar="joins,text,trouble",
        ),
        Option("log", "write what happens to a file, for a bug report; no password or text is in it", metavar="FILE"),
        Option("duration", "leave S seconds after entering", float, metavar="S"),
        Option("echo-test", "hear yourself as the server hears you, and how good that is", bool, False, kept=False),
        Option("stats", "write figures as JSON at the end", metavar="PATH"),
        Option("list-devices", "show the sound devices, and end", bool, False, kept=False),
        Option(
            "config", "the configuration file; else $VOICECHAT_CONFIG or its usual place", metavar="FILE", kept=False
        ),
        Option("write-config", "write a configuration file with what is given here, and end", bool, False, kept=False),
        Option(
            "install-desktop", "have a click on a voicechat:// link start the client, and end", bool, False, kept=False
        ),
        COMPLETION,
    ),
)
"""In the order of --help."""

KEPT: Final = {option.name: option for option in OPTIONS if option.kept}
"""Those of the environment and of the file, by name."""


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What ``VOICECHAT_*`` chooses, by the options' fields; the password is not asked for. ConfigError names it."""
    chosen = {}
    for option in KEPT.values():
        if not option.name.startswith("password"):
            try:
                value = option.from_environment(environ)
            except ConfigError as error:
                raise ConfigError(f"{option.variable}: {error}") from None
            if value is not None:
                chosen[option.field] = value
    return chosen
