"""Every exception of voicechat's own.

May import nothing. One error type stands at each boundary, so that a caller can
catch exactly what the other side may cause, and nothing else.
"""


class VoiceChatError(Exception):
    """Base of all errors of this package; its text is one line for a person."""


class WireError(VoiceChatError):
    """Bytes from the other side are not what the protocol allows.

    The only exception that parsers, openers (decryption, replay) and codec
    checks raise. It costs the peer that sent the bytes, and nobody else.
    """


class TooLong(WireError):
    """A string announces itself that is longer than any; or the bytes are of another protocol's."""

    def __init__(self, length: int) -> None:
        super().__init__("a string too long")
        self.first = length.to_bytes(4, "big")
        """The four bytes that were taken for its length."""


class PasswordRefused(VoiceChatError):
    """The other side did not prove that it knows the password."""


class ConfigError(VoiceChatError):
    """An option, a file or a link from the user is wrong (exit code 78)."""


class ControlError(VoiceChatError):
    """What a player asks of their own call cannot be done, or not now."""


class DeviceError(VoiceChatError):
    """A named sound device or WAV file cannot be used (exit code 74)."""
