"""What the client's libraries load and it never uses, kept out of its memory.

`begin_lean` is for the program's entry point, before anything else is imported; what is
loaded already stays. Imports little, knows nothing of the client.
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Final

OPENSSL: Final = ("_ssl", "_hashlib")
"""Python's ties to the system's OpenSSL: 4.9 MB of memory (measured), and no use beside the one that `cryptography`
brings. A Python may be built without them, so the standard library and Twisted do without as well."""

HASHES: Final = ("_md5", "_sha1", "_sha3", "_blake2") + (
    ("_sha2",) if sys.version_info >= (3, 12) else ("_sha256", "_sha512")
)
"""What hashlib needs in OpenSSL's place; some distributions' Python has no hashes but OpenSSL's."""

PYOPENSSL: Final = "OpenSSL"
"""Where it is installed, for a server, Twisted's sockets import it for a startTLS that no client of ours calls: 0.17 s
and 5 MB (measured)."""

COOKIES: Final = "http.cookiejar"
"""`twisted.python.compat` imports it only to hand it on to nobody here: with urllib, http.client and email 1.3 MB."""


def begin_lean() -> None:
    """Have what is imported from now on do without."""
    if all(map(find_spec, HASHES)):
        for name in OPENSSL:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None: "not installed" (sys.modules' manual)
    sys.modules.setdefault(PYOPENSSL, None)  # type: ignore[arg-type]
    sys.modules.setdefault(COOKIES, ModuleType(COOKIES))
