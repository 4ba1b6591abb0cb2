"""The tests that there are, as pytest names them."""

import subprocess
import sys
from collections.abc import Collection, Iterable

from tests.mutations.mutation import ROOT


def missing(tests: Iterable[str], known: Collection[str] = ()) -> list[str]:
    """Those of these tests, named without parameters, that pytest does not find. It looks, and runs none.

    It does not look for the ``known``, which it has found already.
    """
    wanted = sorted(set(tests).difference(known))
    if not wanted:
        return []
    files = sorted({test.partition("::")[0] for test in wanted})
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = {line.partition("[")[0] for line in found.splitlines()}
    return [test for test in wanted if test not in there]
