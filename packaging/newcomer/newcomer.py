"""The command behind ``make newcomer``: a bare Debian 12 runs the README's lines, from nothing to the first word heard.

    newcomer.py          run them; fails if no word is heard, or if README counts other commands
    newcomer.py write    the same, and write what was counted into README.md

Exit status: 0 done; 1 a newcomer would not get there, and where they got stuck is said; 130 after Ctrl-C.
"""

import sys
from pathlib import Path

from newpack import readme
from newpack.evening import Evening
from newpack.machine import Debian
from winpack.tools import BuildFailed, say

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Do what the one word says."""
    if sys.argv[1:] not in ([], ["write"]):
        sys.stderr.write("usage: newcomer.py [write]\n")
        return 2
    page = ROOT / "README.md"
    try:
        blocks = readme.marked(page.read_text("utf-8"))
        with Debian(ROOT) as debian:
            counted = Evening(debian, blocks).run()
        for who, figure in counted.items():
            say(f"{who}: {figure.commands} commands, {figure.seconds:.0f} s to {figure.reached}")
        if sys.argv[1:]:
            page.write_text(readme.with_figures(page.read_text("utf-8"), counted), "utf-8")
        readme.check(page.read_text("utf-8"), counted)
    except BuildFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
