"""The command behind ``make dist``: everything that goes out, into dist/.

    release.py          all of it
    release.py own      without what takes long: the source and the wheel only

Exit status: 0 done; 1 it cannot be done, and what to do is said; 130 after Ctrl-C.
"""

import os
import sys

from relpack.everything import OWN, WHOLE, build
from winpack.tools import BuildFailed, say

VERBS = {"": WHOLE, "own": OWN}


def main() -> int:
    """Do what the one word says."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb not in VERBS or len(sys.argv) > 2:
        sys.stderr.write(f"usage: release.py [{'|'.join(filter(None, VERBS))}]\n")
        return 2
    os.umask(0o022)  # setuptools gives files in wheels the modes that they have
    try:
        build(VERBS[verb])
    except BuildFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
