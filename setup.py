"""What setup.cfg cannot say: links that are made of its ``url``.

The package's page on an index is README.md, whose links are relative to the repository; there they would lead nowhere.
"""

import configparser
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent

LINK = re.compile(r"(!?)(\[[^]]*\])\((?![a-z]+:|#)([^)]+)\)")
"""A link or a picture of Markdown that is neither to elsewhere nor to a heading of the same page."""


def absolute(text: str, url: str) -> str:
    """``text`` with links into the repository at ``url``: pages as they are shown there, pictures as they are."""
    return LINK.sub(lambda it: f"{it[1]}{it[2]}({url}/{'raw' if it[1] else 'blob'}/main/{it[3]})", text)


if __name__ == "__main__":
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg", "utf-8")
    url = metadata["metadata"]["url"]
    setup(
        long_description=absolute((ROOT / "README.md").read_text("utf-8"), url),
        long_description_content_type="text/markdown",
        project_urls={
            "Changes": f"{url}/blob/main/CHANGELOG.md",
            "Documentation": f"{url}/tree/main/docs",
            "Issues": f"{url}/issues",
        },
    )
