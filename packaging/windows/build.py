"""The command behind ``make windows``: builds dist/voicechat-windows-x64.zip.

    build.py          the zip
    build.py pin      pin the Debian packages that the mirror has now (debian.lock)
    build.py lock     pin the newest wheels that setup.cfg allows (client.lock, tests.lock)

Exit status: 0 done; 1 it cannot be done, and what to do is said; 130 after Ctrl-C.
"""

import sys

from winpack import folder, update
from winpack.tools import BuildFailed, say

VERBS = {"": folder.build, "pin": update.pin, "lock": update.lock}


def main() -> int:
    """Do what the one word says."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb not in VERBS or len(sys.argv) > 2:
        sys.stderr.write(f"usage: build.py [{'|'.join(filter(None, VERBS))}]\n")
        return 2
    try:
        VERBS[verb]()
    except BuildFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
