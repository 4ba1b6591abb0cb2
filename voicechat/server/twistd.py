"""What can be wrong with the options that twistd itself has, told in one line.

twistd finds out when the server is made already, and shows a traceback. The server's
options are read before it begins, so this is the place to try what it will do.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from voicechat.errors import ConfigError

MOST_PID: Final = 2**31 - 1
"""A process number is an int of C (kill(2)); of a larger one in the pidfile twistd makes a traceback."""


def check(options: Mapping[str, Any]) -> None:
    """ConfigError if twistd could not go on with its ``options``. On Windows it has few of them."""
    if options.get("chroot") is not None:
        _check_folder("chroot", options["chroot"])
        if os.geteuid() != 0:
            raise ConfigError("only root can go to --chroot")
        return  # the others are meant from in there
    _check_folder("rundir", options["rundir"])
    if options.get("pidfile"):
        _check_pidfile(options["pidfile"])
    if options.get("uid") is not None:
        _check_account(options["uid"])


def _check_folder(option: str, name: str) -> None:
    try:
        os.scandir(name).close()
    except PermissionError:
        if os.access(name, os.X_OK):  # to go there one need not see what is in it
            return
        raise ConfigError(f"cannot go to --{option} {name}: Permission denied") from None
    except OSError as error:
        raise ConfigError(f"cannot go to --{option} {name}: {error.strerror}") from None


def _check_pidfile(name: str) -> None:
    """Write it, read what is in it: twistd does both."""
    path, text, there = Path(name), "", os.path.lexists(name)
    try:
        with path.open("a+", encoding="latin-1") as file:
            if there:
                file.seek(0)
                text = file.read(32)
            else:
                file.write("\n")
        if not there:
            path.unlink()
    except OSError as error:
        if not there:
            with suppress(OSError):
                path.unlink()
        raise ConfigError(
            f"cannot write the pidfile {name}: {error.strerror}; --pidfile=FILE is another, --pidfile= none"
        ) from None
    if text.strip().isdecimal():  # whatever else is in it twistd tells in a line
        if int(text) > MOST_PID:
            raise ConfigError(f"in the pidfile {name} is no process number; remove it")
        if not (_runs(int(text)) or os.access(path.absolute().parent, os.W_OK)):
            raise ConfigError(f"cannot remove the pidfile {name} of a process that is gone")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another's
        return True
    return True


def _check_account(uid: int) -> None:
    """An account has the groups that twistd looks for."""
    import pwd

    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise ConfigError(f"--uid {uid} is nobody's account, and twistd needs one") from None
