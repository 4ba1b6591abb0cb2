"""A server that loads nothing of what only browsers and TLS need, until one of them comes."""

import subprocess
import sys

MADE = """
import sys
LAZY = "OpenSSL", "h11", "wsproto", "pylibsrtp", "gzip", "prometheus_client", "voicechat.server.health"
from voicechat.server.tap import Options, makeService
options = Options()
options.parseOptions(["--password", "correct horse", "--port", "0", *sys.argv[1:]])
service = makeService(options)
service.privilegedStartService()
print(*[name for name in LAZY if sys.modules.get(name)])
import OpenSSL
"""


def loaded(*options: str) -> str:
    """What it loads of all that few need, by these options."""
    told = subprocess.run([sys.executable, "-c", MADE, *options], capture_output=True, text=True, check=True)
    assert told.stderr == "", "and OpenSSL can be loaded afterwards"
    return told.stdout


def test_a_server_that_listens_has_loaded_none_of_it() -> None:
    assert loaded() == "\n"


def test_one_that_tells_figures_loads_what_makes_them() -> None:
    there = loaded("--metrics", "127.0.0.1:0").split()
    assert {"h11", "prometheus_client", "voicechat.server.health"} <= set(there)
    assert not {"wsproto", "pylibsrtp"} & set(there)
