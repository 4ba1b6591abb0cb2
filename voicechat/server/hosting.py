"""What all options of a host's have in common: the password is found, or made and kept, in the same way."""

import os
from pathlib import Path
from typing import ClassVar

from voicechat import passwords
from voicechat.errors import ConfigError
from voicechat.options.option import Options as Table
from voicechat.plain import variable
from voicechat.server import state
from voicechat.server.options import OPTIONS, ServerExit, public
from voicechat.server.usage import TableOptions


class HostOptions(TableOptions):
    """Options of the server's table, with the password behind them."""

    table: ClassVar[Table] = OPTIONS
    always_keeps: ClassVar[bool] = False
    """There is a state folder also if none was named."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []
        """What the host should mend, or know."""
        self.kept_in: Path | None = None
        """The state folder, if the password came from there."""

    def state_folder(self) -> Path | None:
        """Where what has to stay is kept; None if nothing does. ConfigError."""
        _, folder = self.chosen("state")
        if folder:
            return state.located(folder)
        return state.usual(os.environ) if self.always_keeps else None

    def folder_if_any(self) -> Path | None:
        """The state folder; None also where none is known, and nothing can be kept."""
        try:
            return self.state_folder()
        except ConfigError:
            return None

    def kept_password(self) -> Path | None:
        """The file of the state folder, if the password is looked for there; it need not be there yet."""
        text, file = self.given.get("password"), self.given.get("password-file")
        elsewhere = text is not None or passwords.file_of(text, file, os.environ) is not None
        if elsewhere or variable(os.environ, "VOICECHAT_PASSWORD"):
            return None
        folder = self.state_folder()
        return None if folder is None else folder / state.PASSWORD

    def find_password(self, *, make: bool) -> None:
        """Set ``password`` and ``password-file``; without a password the program ends. ``make``: if none is kept."""
        kept = self.kept_password()
        # a --password is stronger than a file that only the environment names
        text, file = self.given.pop("password", None), self.given.get("password-file")
        if kept is not None:
            file, self.kept_in = str(kept), kept.parent
            if make and state.first_password(kept):
                self.warnings.append(f"no password was given: a new one is kept in {kept}")
            elif not os.path.lexists(kept):
                self.fail(
                    ServerExit.CONFIG,
                    f"no password is kept in {kept.parent}: start the server once, or give its options",
                )
        file = self["password-file"] = passwords.file_of(text, file, os.environ)
        secret = passwords.find(text, file, os.environ)
        if secret is None:
            self.fail(
                ServerExit.CONFIG,
                "no password: give --password-file FILE, --password SECRET or $VOICECHAT_PASSWORD, "
                "or have one made and kept: --state DIR",
            )
        self["password"] = secret
        self.warnings += passwords.warnings(secret, file)

    def outer(self, name: str) -> tuple[str, int | None]:
        """Host and port, if it has one, of an option that names how friends reach the server; '' if it does not."""
        _, text = self.chosen(name)
        return public(text) if text else ("", None)
