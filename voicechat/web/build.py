"""``python -m voicechat.web.build``: join the page's modules to the one file ``page.html``.

Three programs stand in the page: the page's own, the Worker's, and that of the two worklets. Each
is a module with what it imports before it, in one scope. So no two modules of a program may use one
name at their top level; that, and a name that is not there, is a `BuildError`. Comments and what
stands before a line are left out, and the three are deflated, which `start.js` undoes in the browser.
The page's policy names its two scripts and its style by hash.

What it reads is ours, so the rules are simple, and are checked: an import or an export stands at
the start of a line, a comment has lines of its own or is a cast of a type, and no text in
backquotes goes over several lines.

May import the standard library. Writes nothing but ``page.html``; a test holds that file to this.
"""

import base64
import hashlib
import re
import sys
import zlib
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("src")
PAGE: Final = Path(__file__).with_name("page.html")

MOST_BYTES: Final = 60_000
"""Of the page: what a friend saves, and what each GET of a stranger costs."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        # data: is for the worklets: from file:// Chromium takes no other address for them.
        "script-src {start} {page} data:",
        "style-src {style}",
        "worker-src blob:",
        # Whatever host an invitation names, and what the page was served by.
        "connect-src 'self' ws: wss:",
        "img-src data:",
        "media-src blob: mediastream:",
        "base-uri 'none'",
        "form-action 'none'",
    )
)

_IMPORT: Final = re.compile(r"^import \{([^}]*)\} from '\./([\w-]+\.js)';\n", re.MULTILINE)
_TOP: Final = re.compile(
    r"^(?:export )?(?:async )?(?:const|let|function\*?|class) ([\w$]+|[\[{][^=]*(?= =))", re.MULTILINE
)
_CAST: Final = re.compile(r"/\*\* @[^*]*\*/ ?")
_BLOCK: Final = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_LINE: Final = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_INDENT: Final = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_BLANK: Final = re.compile(r"\n{2,}")


class BuildError(Exception):
    """A module breaks the rules that joining needs; names it."""


def modules(entry: str, source: Path = SOURCE) -> dict[str, str]:
    """The module ``entry`` and all that it imports, what is imported before who imports it; text by file name."""
    found: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        text = (source / name).read_text(encoding="utf-8")
        for line in text.splitlines():
            if line.count("`") % 2:
                raise BuildError(f"{name}: a text in backquotes goes over several lines: {line.strip()}")
        for names, imported in _IMPORT.findall(text):
            visit(imported)
            for wanted in filter(None, (part.strip() for part in names.split(","))):
                if not re.search(
                    rf"^export (?:async )?(?:const|let|function|class) {re.escape(wanted)}\b",
                    found[imported],
                    re.MULTILINE,
                ):
                    raise BuildError(f"{name}: {imported} exports no {wanted}")
        if re.search(r"^import ", _IMPORT.sub("", text), re.MULTILINE):
            raise BuildError(f"{name}: an import that is not of the one form")
        found[name] = text

    visit(entry)
    return found


def joined(entry: str, source: Path = SOURCE) -> str:
    """One program: ``entry`` behind what it imports, without comments."""
    owners: dict[str, str] = {}
    parts = []
    for name, text in modules(entry, source).items():
        for top in _TOP.findall(text):
            for variable in re.findall(r"[\w$]+", top):
                if variable in owners:
                    raise BuildError(f"{name}: {owners[variable]} has a {variable} already")
                owners[variable] = name
        parts.append(smaller(re.sub(r"^export ", "", _IMPORT.sub("", text), flags=re.MULTILINE)))
    return "".join(parts)


def smaller(text: str) -> str:
    """A module or a style without comments, and without blanks at the ends of its lines."""
    for pattern in (_CAST, _BLOCK, _LINE, _INDENT):
        text = pattern.sub("", text)
    return _BLANK.sub("\n", text).lstrip("\n")


PARTED: Final = "\n---\n"
"""Between two programs; no line of a module is so."""


def programs(source: Path = SOURCE) -> list[str]:
    """The page's own program, the Worker's and the worklets'."""
    return [joined(entry, source) for entry in ("main.js", "worker.js", "worklet.js")]


def page(source: Path = SOURCE) -> str:
    """The whole page. BuildError if a module breaks the rules, or the page grows too large."""
    style = smaller((source / "style.css").read_text(encoding="utf-8"))
    start = joined("start.js", source)
    parts = programs(source)
    packed = base64.b64encode(zlib.compress(PARTED.join(parts).encode(), 9)).decode()
    policy = POLICY.format(start=_hash(start), page=_hash(parts[0]), style=_hash(style))
    text = _INDENT.sub("", (source / "index.html").read_text(encoding="utf-8"))
    for name, part in {"policy": policy, "style": style, "start": start, "programs": packed}.items():
        if "</" in part or "<!--" in part:
            raise BuildError(f"the {name} would end its element")
        if text.count(f"{{{{{name}}}}}") != 1:
            raise BuildError(f"index.html has not one place for the {name}")
        text = text.replace(f"{{{{{name}}}}}", part)
    if len(text.encode()) > MOST_BYTES:
        raise BuildError(f"the page has {len(text.encode())} bytes; {MOST_BYTES} are allowed")
    return text


def unpacked(text: str) -> str:
    """A page with its programs as text: two pages are the same if these are, whichever zlib packed them."""
    return re.sub(
        r'(?<=id="programs">)[^<]*', lambda packed: zlib.decompress(base64.b64decode(packed[0])).decode(), text
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def main() -> int:
    """Write the page; gives the exit status."""
    try:
        text = page()
    except BuildError as error:
        sys.stderr.write(f"build: {error}\n")
        return 1
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{PAGE.name}: {len(text.encode())} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
