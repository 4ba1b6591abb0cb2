"""A client without the libraries that it does not use, and a Python that cannot do without them."""

import subprocess
import sys

import pytest

from voicechat.client import lean


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert child.stderr == ""
    return child.stdout


def test_the_client_runs_without_pythons_openssl_and_web() -> None:
    program = "import sys; from voicechat.client.lean import begin_lean; begin_lean(); import voicechat.client.run"
    loaded = run(f"{program}; print(*(name for name, module in sys.modules.items() if module))").split()
    assert "voicechat.client.network.reconnecting" in loaded
    assert not {"_ssl", "_hashlib", "OpenSSL", "ssl", "urllib.request", "http.client", "email"} & set(loaded)


def test_hashes_and_proofs_stay_the_same() -> None:
    program = "import hashlib, hmac; print(hashlib.sha256(b'a').hexdigest(), hmac.digest(b'k', b'm', 'sha256').hex())"
    assert run(f"from voicechat.client.lean import begin_lean; begin_lean(); {program}") == run(program)


def test_what_is_loaded_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = dict.fromkeys((*lean.OPENSSL, lean.COOKIES), sys)
    monkeypatch.setattr(sys, "modules", sys.modules | loaded)
    lean.begin_lean()
    assert all(sys.modules[name] is sys for name in loaded)


def test_a_python_whose_hashes_are_openssls_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {name: module for name, module in sys.modules.items() if name not in lean.OPENSSL}
    monkeypatch.setattr(sys, "modules", others)
    monkeypatch.setattr(lean, "HASHES", ("_hash_that_is_not_there",))
    lean.begin_lean()
    assert not set(lean.OPENSSL) & set(sys.modules)
