"""Tables into a page: between ``<!-- bench:PART -->`` and ``<!-- /bench:PART -->``, and nowhere else.

May import the figures and ``quoted``, by which sentences of other pages have theirs. What stands between the marks
belongs to the script; all other text of the page belongs to people.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.figures import Table
from bench.quoted import quoted

PAGES: Final = (Path("docs", "performance.md"), Path("docs", "sound.md"))

QUOTING: Final = (Path("README.md"), Path("docs", "compare.md"), Path("docs", "faq.md"))
"""Pages that have figures of the first one in their sentences."""


def save(folder: Path, part: str, tables: Iterable[Table], made: Mapping[str, str]) -> None:
    """Keep a part's tables as JSON, with what they were made on."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {"made": dict(made), "tables": [table.plain() for table in tables]}
    (folder / f"{part}.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def fill(page: str, kept: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the tables of every part that was kept; marks of others stay as they are."""

    def section(found: re.Match[str]) -> str:
        part = found["part"]
        if part not in kept:
            return found[0]
        return f"<!-- bench:{part} -->\n{_text(kept[part])}<!-- /bench:{part} -->"

    return re.sub(r"<!-- bench:(?P<part>\w+) -->\n.*?<!-- /bench:(?P=part) -->", section, page, flags=re.DOTALL)


def write(folder: Path, quick: Path, pages: Sequence[Path] = PAGES, quoting: Iterable[Path] = QUOTING) -> list[str]:
    """Fill the pages; the parts whose tables were there. Of a part without a full run, the quick one's are taken."""
    kept = {}
    for path in (*sorted(quick.glob("*.json")), *sorted(folder.glob("*.json"))):
        kept[path.stem] = json.loads(path.read_text(encoding="utf-8")) | {"quick": path.parent == quick}
    for page in pages:
        page.write_text(fill(page.read_text(encoding="utf-8"), kept), encoding="utf-8")
    figures = pages[0].read_text(encoding="utf-8")
    for page in quoting:
        page.write_text(quoted(page.read_text(encoding="utf-8"), figures), encoding="utf-8")
    return list(kept)


def _text(kept: Mapping[str, Any]) -> str:
    tables = "\n".join(Table.of(plain).text() for plain in kept["tables"])
    made = kept["made"]
    how = ", quickly (little speech, each call once)," if kept.get("quick") else ""
    told = f"Measured{how} {made['when']} with voicechat {made['voicechat']}; {made['machine']}; {made['busy']}."
    return f"{tables}\n*{told}*\n\n*{made['versions']}.*\n"
