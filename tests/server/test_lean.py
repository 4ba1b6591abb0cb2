"""A server that loads nothing of what only browsers and TLS need, until one of them comes."""

import subprocess
import sys

MADE = """
import sys
from voicechat.server.tap import Options, makeService
options = Options()
options.parseOptions(["--password", "correct horse", "--port", "0", *sys.argv[1:]])
service = makeService(options)
service.privilegedStartService()
print(*[name for name in ("OpenSSL", "h11", "wsproto", "pylibsrtp", "gzip") if sys.modules.get(name)])
import OpenSSL
"""


def test_a_server_that_listens_has_loaded_none_of_it() -> None:
    told = subprocess.run([sys.executable, "-c", MADE], capture_output=True, text=True, check=True)
    assert told.stdout == "\n"
    assert told.stderr == "", "and it can be loaded afterwards"
