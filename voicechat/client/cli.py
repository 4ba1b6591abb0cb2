"""``voicechat-client``: the command line understood, and the client run with it.

Imports little until the options are understood, so that --help is there at once. The
options are `options.OPTIONS`; flags win over ``VOICECHAT_*``, those over the
configuration file, that over the defaults.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from voicechat import __version__, standard
from voicechat.client import asking
from voicechat.client.exits import BECAUSE, Exit
from voicechat.client.lean import begin_lean
from voicechat.client.options import OPTIONS, from_environment
from voicechat.errors import ConfigError, DeviceError, VoiceChatError
from voicechat.hiding import hide
from voicechat.options.commandline import Parser
from voicechat.options.option import Command, Program, unknown
from voicechat.plain import variable

DESCRIPTION: Final = "Talk with your friends through a voicechat server."

DOCTOR: Final = "doctor"
"""The word before all options that asks for a check in place of a call."""

EXAMPLES: Final = """examples:
  voicechat-client "voicechat://play.example.org/#SECRET" --name Ann
  voicechat-client play.example.org --name Ann    (asks for the password)
  voicechat-client --host play.example.org --password-file secret.txt --name Ann
  voicechat-client --list-devices
  voicechat-client doctor --host play.example.org --password-file secret.txt    (would a call work?)
  voicechat-client --host play.example.org --password-file secret.txt --echo-test
  voicechat-client --host 192.0.2.7 --password SECRET --input 3 --output "USB Headset"
  voicechat-client --host localhost --password SECRET --input wav:hello.wav --output wav:heard.wav --duration 10
  voicechat-client --host play.example.org --name Ann --write-config    (then voicechat-client alone will do)

What is given here wins over VOICECHAT_* in the environment, that over the configuration file (TOML; its keys are
these options' names), and that over the defaults.

exit codes: 0 ok, 1 the echo test or doctor found something, 2 usage, 69 server not reached, 74 no such device,
75 full or try later, 76 another version, 77 password refused, 78 bad configuration, 130 Ctrl-C
"""


PROGRAM: Final = Program(
    "voicechat-client", OPTIONS, {DOCTOR: Command("check whether a call would work", OPTIONS)}, BECAUSE
)
"""What docs/reference.md and shells are told of it."""


class _Version(argparse.Action):
    """``--version``, whatever else is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        standard.write(f"voicechat {__version__}\n")
        parser.exit()


def parser() -> Parser:
    """The command line."""
    it = Parser("voicechat-client", OPTIONS, DESCRIPTION, EXAMPLES, "[LINK] ")
    it.add_argument(
        "link",
        nargs="?",
        metavar="LINK",
        help="an invitation: voicechat://HOST:PORT/ROOM#PASSWORD, or a server: HOST or HOST:PORT (with doctor before "
        "it: a check only)",
    )
    it.add_options()
    it.add_argument("--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="show the version, and end")
    return it


def flags(argv: Sequence[str]) -> dict[str, Any]:
    """What the command line chooses, by the options' fields; ends the program with status 2 on a mistake.

    A link stands for its parts, of which other options may change room and password; beside a server without
    its port there may be one.
    ConfigError if it is wrong.
    """
    it = parser()
    if in_single_quotes(argv):
        it.error('cmd.exe takes double quotes only, as in --name "Ann Lee"')
    doctor = list(argv[:1]) == [DOCTOR]
    chosen, rest = it.parse_known_args(argv[doctor:])
    if rest:
        _not_understood(it, rest[0])
    given = {field: value for field, value in vars(chosen).items() if value is not None}
    for option in OPTIONS:
        if given.get(option.field) == []:  # argparse takes the value of --room=-- for the end of the options
            it.error(f"argument --{option.name}: -- is no value")
    if doctor:
        given["doctor"] = True
    link = given.pop("link", None)
    invited = {} if link is None else asking.invited(link)
    if ("host" in invited and "host" in given) or ("port" in invited and "port" in given):
        it.error("a link says which server: leave out --host and --port")
    return invited | given


def in_single_quotes(argv: Sequence[str], platform: str = sys.platform) -> bool:
    """Whether cmd.exe has left the single quotes of a text, and taken its words apart perhaps.

    A link in them is understood. Elsewhere a shell takes them away, and what is left of them is meant.
    """
    texts = [word.rpartition("=")[2] for word in argv if "://" not in word]
    begun = any(text.startswith("'") for text in texts)
    return platform == "win32" and begun and any(text.endswith("'") for text in texts)


def _not_understood(it: Parser, word: str) -> None:
    """A word that is no option ends the program; it is not shown where it may be a password that lost its option."""
    if not word.startswith("--"):
        it.error("one link, and an option before everything else, as in --name NAME")
    it.error(unknown(word, OPTIONS))


def options(argv: Sequence[str]) -> argparse.Namespace:
    """Everything that is chosen: by flags, else environment, else file, else default.

    Ends the program with status 2 on a mistake in the first two, ConfigError for one in the
    file. ``in_file`` is what the file chooses: its password is weaker than the environment's.
    ``origin`` names, by field, the option, variable or file with its key that has chosen.
    """
    given = flags(argv)
    file, in_file = _of_file(given)
    origin = {option.field: f"{file}: {option.name}" for option in OPTIONS if option.field in in_file}
    try:
        in_environment = from_environment(os.environ)
    except ConfigError as error:
        parser().error(str(error))
    chosen = in_environment | given
    origin |= {option.field: option.variable for option in OPTIONS if option.field in in_environment}
    origin |= {option.field: f"--{option.name}" for option in OPTIONS if option.field in given}
    defaults = {option.field: option.default for option in OPTIONS}
    kept = {field: value for field, value in in_file.items() if not field.startswith("password")}
    merged = argparse.Namespace(
        **{"doctor": False, "typed": False, **defaults, **kept, **chosen}, in_file=in_file, origin=origin
    )
    instead = (merged.list_devices, merged.write_config, merged.doctor, merged.completion, merged.install_desktop)
    if merged.host or any(instead):
        return merged
    if not asking.possible():
        parser().error("--host is needed, or the link that your host gave you")
    invited = asking.for_link()
    _offer_to_keep(invited | given)
    return argparse.Namespace(**vars(merged) | invited)


def _offer_to_keep(given: dict[str, Any]) -> None:
    """Write what was asked for to the configuration file, if there is none yet and it is wanted."""
    from voicechat.client import configuration

    named = given.get("config") or variable(os.environ, "VOICECHAT_CONFIG")
    path = None if named else configuration.place()
    if path is not None and not os.path.lexists(path) and asking.whether_to_keep():
        standard.warn(_written(given))


def _of_file(given: dict[str, Any]) -> tuple[Path | None, dict[str, Any]]:
    """The configuration file and what it chooses; only one that was named must exist."""
    from voicechat.client import configuration

    named = given.get("config") or variable(os.environ, "VOICECHAT_CONFIG")
    try:
        path = configuration.located(named) if named else configuration.place()
        return path, configuration.read(path) if path is not None and "write_config" not in given else {}
    except FileNotFoundError as error:
        if not named:
            return None, {}
        why = "" if error.errno == errno.ENOENT else f" ({error.strerror})"
        told = f"there is no configuration file {named}{why}"
    except ConfigError as error:
        told = str(error)
    raise ConfigError(told if given.get("config") or not named else f"VOICECHAT_CONFIG: {told}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the client; the exit code."""
    hide()
    standard.open_closed()
    begin_lean()
    argv = sys.argv[1:] if argv is None else argv
    try:
        chosen = options(argv)
        done = _instead(chosen, argv)
        if done is not None:
            return done
        from voicechat.client.run import run

        return run(chosen, _password(chosen))
    except DeviceError as error:
        return _fail(Exit.NO_DEVICE, error)
    except VoiceChatError as error:
        return _fail(Exit.CONFIG, error)
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise  # a fault of ours
        return _fail(Exit.CONFIG, ConfigError("too many files are open; allow more (ulimit -n)"))
    except RuntimeError as error:
        if "thread" not in str(error):  # Python's words: "can't start new thread"
            raise  # a fault of ours
        return _fail(Exit.CONFIG, ConfigError("the system starts no thread for us; allow more processes (ulimit -u)"))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _instead(chosen: argparse.Namespace, argv: Sequence[str]) -> int | None:
    """What is asked for in place of a call, done; its exit code. None if a call is."""
    if chosen.doctor:
        from voicechat.client.doctor import doctor

        return doctor(chosen, lambda: _password(chosen))
    told = None
    if chosen.completion:
        from voicechat.options.completion import script

        told = script(PROGRAM, chosen.completion)
    elif chosen.write_config:
        told = _written(flags(argv))
    elif chosen.install_desktop:
        from voicechat.client.desktop import install

        told = install(os.environ)
    elif chosen.list_devices:
        from voicechat.client.audio.portaudio import list_devices

        told = list_devices() + "\n"
    if told is not None:
        standard.write(told)
    return None if told is None else Exit.OK


def _written(given: dict[str, Any]) -> str:
    """Write the configuration file; a line about it."""
    secret = "password" in given
    path = _write_config(given)
    return f"written: {path}" + ("; your password stands in it, and you alone can read it\n" if secret else "\n")


def _write_config(given: dict[str, Any]) -> Path:
    """Write the configuration file, with what else the command line gives; where it is."""
    from voicechat.client import configuration

    path = configuration.located(given["config"]) if given.get("config") else configuration.place()
    if path is None:
        raise ConfigError("no usual place is known (client extra, HOME); name one with --config FILE")
    if given.get("password_file", "-") != "-":  # in the file it counts from the file's folder
        try:
            given["password_file"] = str(configuration.located(given["password_file"]).absolute())
        except FileNotFoundError:
            raise ConfigError("the folder that you are in is no more; name the password file from /") from None
    configuration.write(path, given)
    return path


def _password(chosen: argparse.Namespace) -> Any:
    """The password from wherever it is given; asked for on a terminal."""
    from voicechat import passwords
    from voicechat.security.secret import Secret

    secret = passwords.find(chosen.password, chosen.password_file, os.environ) or passwords.find(
        chosen.in_file.get("password"), chosen.in_file.get("password_file"), {}
    )
    chosen.password = None
    chosen.in_file = {}
    if secret is not None:
        return secret
    if not standard.is_terminal("stdin"):
        raise ConfigError(
            "no password: give the whole link, --password-file FILE, --password SECRET or $VOICECHAT_PASSWORD"
        )
    import getpass

    chosen.typed = True
    try:
        return Secret(getpass.getpass("Password: "))
    except EOFError:
        raise ConfigError("no password was typed") from None


def _fail(code: Exit, error: Exception) -> int:
    standard.warn(f"voicechat-client: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
