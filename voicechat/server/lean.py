"""Twisted's sockets without OpenSSL, which they import for a startTLS that nobody here calls.

Where pyOpenSSL is installed it takes 0.17 s and 5 MB (measured). It is there for ``--listen ssl:``
and for the datagrams of browsers, which import it themselves when they need it.
"""

import sys
from typing import Final

UNUSED: Final = "OpenSSL"


def load_sockets() -> None:
    """Import them, unless they are there; what imports it afterwards finds it."""
    if UNUSED in sys.modules:
        return
    sys.modules[UNUSED] = None  # type: ignore[assignment]  # "not installed" (sys.modules' manual)
    try:
        from twisted.internet import posixbase, tcp  # noqa: F401
    finally:
        del sys.modules[UNUSED]
