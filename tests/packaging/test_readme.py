"""README's lines for a newcomer: found, counted, and their figures written where they stand."""

import re
from pathlib import Path

import pytest

from newpack import readme
from newpack.readme import FRIEND, HOST, TALK, Counted, check, commands, marked, with_figures
from relpack.everything import address
from winpack.tools import BuildFailed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")

PAGE = """\
# It

<!-- newcomer: host -->
```
git clone https://x.invalid/it   # once
make -C it \\
    serve
```

<!-- newcomer: friend -->

    sudo apt install a && pip install 'b; c'
    it 'voicechat://h/#S'

text

<!-- newcomer: talk -->
```sh
it
```

<!-- newcomer: figures -->
old
lines

more text
"""
FOUND = {HOST: Counted(2, 41.4, "a server"), FRIEND: Counted(3, 59.6, "the first word heard")}


def test_the_lines_of_each_are_found_without_remarks() -> None:
    assert marked(PAGE) == {
        HOST: ["git clone https://x.invalid/it", "make -C it      serve"],
        FRIEND: ["sudo apt install a && pip install 'b; c'", "it 'voicechat://h/#S'"],
        TALK: ["it"],
    }


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["make"], 1),
        (["cd it && make", "make; make"], 4),
        (["sudo apt install a && pip install 'b; c && d'"], 2),
        (["a | b"], 1),
        (["a || b"], 2),
        (["make;"], 1),
    ],
)
def test_what_is_joined_in_a_line_is_counted_singly(lines: list[str], count: int) -> None:
    assert commands(lines) == count


@pytest.mark.parametrize("who", [HOST, FRIEND, TALK])
def test_a_page_without_a_mark_is_refused(who: str) -> None:
    with pytest.raises(BuildFailed, match=who):
        marked(PAGE.replace(f"newcomer: {who} ", "newcomer: nobody "))


def test_the_figures_are_written_where_the_old_ones_stood_and_nothing_else_changes() -> None:
    written = with_figures(PAGE, FOUND)
    before, _, after = PAGE.partition("old\nlines\n")
    assert written.startswith(before)
    assert written.endswith(after)
    assert re.findall(r"types (\d+)|after\s+(\d+)", written) == [("2", ""), ("", "41"), ("3", ""), ("", "60")]
    assert with_figures(written, FOUND) == written
    check(written, FOUND)


def test_a_page_that_counts_other_commands_is_refused() -> None:
    written = with_figures(PAGE, FOUND)
    with pytest.raises(BuildFailed, match="WRITE=1"):
        check(written, FOUND | {FRIEND: Counted(4, 59.6, "")})
    with pytest.raises(BuildFailed, match="WRITE=1"):
        check(PAGE, FOUND)
    with pytest.raises(BuildFailed, match="figures"):
        check("", FOUND)


def test_readme_has_all_of_it_and_counts_its_own_lines() -> None:
    blocks = marked(README)
    check(README, {who: Counted(commands(blocks[who]), 0, "") for who in (HOST, FRIEND)})


def test_who_clones_as_readme_says_clones_from_the_address_of_the_package() -> None:
    cloned = re.findall(r"git clone (\S+)", README)
    assert cloned
    assert set(cloned) == {address(ROOT)}


def test_readme_names_the_marks_that_are_looked_for() -> None:
    assert {f"newcomer: {who}" for who in (HOST, FRIEND, TALK, "figures")} <= set(
        re.findall(r"newcomer: [a-z]+", readme.__doc__ or "")
    )
