"""Puts libopus of a newer Debian release into .cache/opus, for the tests of the codec and for `bench`.

It comes by the archive that the Windows build has (``winpack.debian``): from the mirror that this machine uses, by apt
lists of its own, checked by apt. The system keeps the libopus that it has. A program takes the newer one where
LD_LIBRARY_PATH names the folder.

Exit status: 0 it is there; 1 it cannot be fetched, and why is said.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from winpack.debian import Archive
from winpack.tools import BuildFailed, run, say

FOLDER: Final = Path(__file__).parents[2] / ".cache" / "opus"

LIBRARY: Final = "libopus.so.0"


def main() -> int:
    """Fetch and unpack it, unless it is there."""
    target = FOLDER / LIBRARY
    if target.exists():
        return 0
    try:
        architecture = run(["dpkg", "--print-architecture"]).strip()
        package = Archive(FOLDER / "debian", architecture).fetch("libopus0")
        with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
            run(["dpkg-deb", "--extract", package, scratch])
            (found,) = Path(scratch).glob(f"usr/lib/*/{LIBRARY}")
            whole = Path(scratch, LIBRARY)
            shutil.copyfile(found, whole)  # it is a link
            whole.replace(target)
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
