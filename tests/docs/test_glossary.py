"""docs/glossary.md has words that the code uses, where it says, and each once."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import ROOT, spans, table

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = table(PAGE, "word", "what it means", "elsewhere", "stands in")


def words_of(source: str) -> str:
    """Names and prose alike as words in lower case: ``RoundTrips``, ``round_trips`` and "round trip" read the same."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", source)
    return " ".join(re.findall(r"[a-z0-9]+", apart.lower()))


def found(dotted: str) -> tuple[ModuleType, list[str]]:
    """The module of a dotted name below ``voicechat``, and the names in it. ModuleNotFoundError if there is none."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            return importlib.import_module(".".join(["voicechat", *parts[:cut]])), parts[cut:]
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(dotted)


def stands_in(term: str, source: str) -> bool:
    """Whether a term stands in the words of a source, in one of its usual forms."""
    return re.search(rf"\b{re.escape(words_of(term))}(?:s|ed|es)?\b", words_of(source)) is not None


@pytest.mark.parametrize(("term", "_meaning", "_elsewhere", "where"), ROWS, ids=[row[0] for row in ROWS])
def test_the_word_stands_where_the_page_says(term: str, _meaning: str, _elsewhere: str, where: str) -> None:
    for span in spans(where) or pytest.fail("it stands nowhere"):
        module, names = found(span)
        thing: object = module
        for name in names:
            thing = getattr(thing, name)
        assert module.__file__ is not None
        source = Path(module.__file__).read_text(encoding="utf-8")
        assert stands_in(term, source), f"voicechat.{span} does not know the word"


def test_a_word_that_is_not_there_is_found_out() -> None:
    assert stands_in("round trip", "class RoundTrips:")
    assert stands_in("pre-roll", "PRE_ROLL_FRAMES: Final = 3")
    assert not stands_in("pair", "def repair() -> None: ...")
    assert not stands_in("outbox", "class Inbox:")


def test_the_page_is_sorted_and_has_each_word_once() -> None:
    terms = [row[0] for row in ROWS]
    assert terms == sorted(set(terms), key=str.casefold)


def test_each_word_means_something_in_one_sentence() -> None:
    for term, meaning, *_ in ROWS:
        assert 10 <= len(meaning) <= 120, term
        assert "." not in meaning.replace("0.1.0", ""), term


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_the_page_is_found(name: str) -> None:
    assert "glossary.md)" in (ROOT / name).read_text(encoding="utf-8")


HE_OR_SHE = re.compile(r"\b(?:h(?:e|im|is|imself|er|ers|erself)|s[h]e)\b", re.IGNORECASE)
PARTS = ("voicechat", "testkit", "bench", "demo", "docs", "tests")
TEXTS = [
    *(path for part in PARTS for kind in ("*.py", "*.md") for path in sorted((ROOT / part).rglob(kind))),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]


def test_people_are_they() -> None:
    lines = ((path, line) for path in TEXTS for line in path.read_text(encoding="utf-8").splitlines())
    assert [f"{path.relative_to(ROOT)}: {line.strip()}" for path, line in lines if HE_OR_SHE.search(line)] == []
