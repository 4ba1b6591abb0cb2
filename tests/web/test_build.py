"""The page is one file of ours: up to date, small, and with nothing in it but what its policy names."""

import base64
import configparser
import hashlib
import re
from pathlib import Path

import pytest

from voicechat.web import build

PAGE = build.PAGE.read_text(encoding="utf-8")
PLAIN = build.unpacked(PAGE)


def test_the_page_that_is_sent_is_what_its_modules_make() -> None:
    """``python -m voicechat.web.build`` writes it."""
    assert build.unpacked(build.page()) == PLAIN


def test_it_is_installed_and_its_modules_are_not() -> None:
    settings = configparser.ConfigParser()
    settings.read(build.PAGE.parents[2] / "setup.cfg")
    assert settings["options.package_data"]["voicechat.web"].split() == [build.PAGE.name]
    assert "voicechat.web.src*" in settings["options.packages.find"]["exclude"].split()


def test_it_has_at_most_60_kb() -> None:
    assert len(PAGE.encode()) <= build.MOST_BYTES == 60_000


def test_its_policy_names_its_scripts_and_its_style_and_nothing_from_elsewhere() -> None:
    found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', PAGE)
    assert len(found) == 1
    policy = dict(part.split(" ", 1) for part in found[0].split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in found[0]
    assert "http" not in found[0]
    (style,) = re.findall(r"<style>(.*?)</style>", PAGE, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    assert policy["style-src"] == _hashes(style)
    assert policy["script-src"] == f"{_hashes(*scripts, build.programs()[0])} data:"


def _hashes(*texts: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def test_no_markup_is_made_of_text_and_no_handler_stands_in_an_element() -> None:
    assert not re.search(r"<[^>]* on\w+=", PAGE)
    for way in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
        assert way not in PLAIN, way
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", PAGE)
    assert "localStorage" in PLAIN
    for storage in ("sessionStorage", "indexedDB", "document.cookie", "caches."):
        assert storage not in PLAIN


def modules(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_modules_are_joined_in_the_order_of_their_imports(tmp_path: Path) -> None:
    source = modules(
        tmp_path,
        main="/** Head. */\nimport { a } from './one.js';\nimport { b } from './two.js';\n\n// A remark.\na(b);\n",
        one="import { b } from './two.js';\n/** What it is. */\nexport function a(x) {\n  return x + b;\n}\n",
        two="export const b = /** @type {number} */ (1);\n",
    )
    assert build.joined("main.js", source) == "const b = (1);\nfunction a(x) {\nreturn x + b;\n}\na(b);\n"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (
            {"main": "import { a } from './one.js';\nconst b = a;\n", "one": "export const a = 1;\nconst b = 2;\n"},
            "main.js: one.js has a b already",
        ),
        ({"main": "import { c } from './one.js';\n", "one": "export const a = 1;\n"}, "main.js: one.js exports no c"),
        ({"main": "import * as all from './one.js';\n", "one": ""}, "main.js: an import that is not of the one form"),
        ({"main": "const a = `one\ntwo`;\n"}, "main.js: a text in backquotes goes over several lines: const a = `one"),
    ],
)
def test_what_cannot_be_joined_is_told(tmp_path: Path, texts: dict[str, str], told: str) -> None:
    with pytest.raises(build.BuildError, match=re.escape(told)):
        build.joined("main.js", modules(tmp_path, **texts))
