"""Which tests the Windows folder's Python runs."""

from typing import Final

CORE: Final = (
    *("tests/wire", "tests/security", "tests/codecs", "tests/session", "tests/rooms", "tests/media"),
    *("tests/carriage/test_channel.py", "tests/carriage/test_clock.py", "tests/carriage/test_peer.py"),
    *("tests/test_format.py", "tests/test_invite.py", "tests/test_passwords.py", "tests/test_testing.py"),
)
"""All that has nothing to do with an operating system; of the carriage, what opens no socket."""

ELSEWHERE: Final = (
    "tests/security/test_dtls.py",  # the server's, for browsers: the folder has no library for it
    "tests/codecs/test_enhancing.py",  # judges sound by PESQ, of which there is no wheel for Windows
    *("tests/media/test_echo.py", "tests/media/test_echo_watch.py", "tests/media/test_tuning.py"),  # the same, by bench
)
"""Of those, what is neither the client's nor can be run there."""
