"""A full collection in the midst of a call looks at what the call has made, and not at all libraries."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SERVER = """
import gc
from voicechat.server.tap import Options, makeService
options = Options()
options.parseOptions(["--password", "correct horse battery", "--port", "0", "--interface", "127.0.0.1"])
service = makeService(options)
from twisted.internet import reactor
loaded = len(gc.get_objects())
service.startService()
reactor.callWhenRunning(lambda: print(loaded, len(gc.get_objects()), gc.get_freeze_count()))
reactor.callWhenRunning(reactor.stop)
reactor.run()
"""


def test_a_server_that_runs_leaves_next_to_nothing_to_a_full_collection() -> None:
    child = subprocess.run([sys.executable, "-c", SERVER], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded, left, kept = map(int, child.stdout.split()[-3:])
    assert left < loaded / 10
    assert kept > loaded / 2
