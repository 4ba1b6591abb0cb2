"""Links within the repository lead somewhere, to their heading too; paths that are named exist."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, prose, spans

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OTHERS = [ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "demo/voices/SOURCES.md")]
LINKS = [
    pytest.param(page, link, id=f"{page.name}: {link}")
    for page in [*PAGES, *OTHERS]
    for link in _LINK.findall(prose(page.read_text(encoding="utf-8")))
    if "://" not in link
]
_PATH = re.compile(
    r"^(?:voicechat|docs|demo|tests|bench|tac|twisted|client|server|media|wire|rooms|session|security|carriage|codecs)/[\w/.*-]+$"
)
PATHS = [
    pytest.param(span, id=f"{page.name}: {span}")
    for page in PAGES
    for span in spans(prose(page.read_text(encoding="utf-8")))
    if _PATH.match(span)
]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    heads = re.findall(r"^#+ (.*)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_the_link_leads_somewhere(page: Path, link: str) -> None:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("path", PATHS)
def test_the_path_exists(path: str) -> None:
    assert any(list(folder.glob(path)) for folder in (ROOT, ROOT / "voicechat"))


def test_there_are_links_and_paths() -> None:
    assert len(LINKS) > 5
    assert len(PATHS) > 5
