"""What all options of a host's have in common: the password is found, or made and kept, in the same way."""

import os
from pathlib import Path
from typing import ClassVar

from voicechat import passwords
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

    def state_folder(self) -> Path | None:
        """Where what has to stay is kept; None if nothing does. ConfigError."""
        _, folder = self.chosen("state")
        if folder:
            return state.located(folder)
        return state.usual(os.environ) if self.always_keeps else None

    def password_file(self) -> str | None:
        """The file that has the password, there or not; None if it comes from elsewhere, or from nowhere."""
        # a --password is stronger than a file that only the environment names
        text = self.given.get("password")
        file = passwords.file_of(text, self.given.get("password-file"), os.environ)
        if file is None and text is None and not variable(os.environ, "VOICECHAT_PASSWORD"):
            folder = self.state_folder()
            return None if folder is None else str(folder / state.PASSWORD)
        return file

    def find_password(self, *, make: bool) -> None:
        """Set ``password`` and ``password-file``; without a password the program ends. ``make``: if none is kept."""
        file = self["password-file"] = self.password_file()
        folder = self.state_folder()
        if folder is not None and file == str(folder / state.PASSWORD):
            if make and state.first_password(Path(file)):
                self.warnings.append(f"no password was given: a new one is kept in {file}")
            elif not os.path.lexists(file):
                self.fail(
                    ServerExit.CONFIG, f"no password is kept in {folder}: start the server once, or give its options"
                )
        secret = passwords.find(self.given.pop("password", None), file, os.environ)
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
