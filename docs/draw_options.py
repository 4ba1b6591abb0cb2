"""Draw the table of the client's options in README.md from the one in the code.

``python -m docs.draw_options`` writes it into the page, between its markers; a test
fails if the page is stale. May import ``voicechat.client.options``.
"""

import re
from pathlib import Path
from typing import Final

from voicechat.client import options

PAGE: Final = Path(__file__).parents[1] / "README.md"

_BLOCK: Final = re.compile(r"(<!-- begin options -->\n).*?(\n<!-- end options -->)", re.DOTALL)


def updated(page: str) -> str:
    """The page with its table drawn anew."""
    return _BLOCK.sub(lambda block: block[1] + options.table() + block[2], page)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
