"""Packages of the newer release: what is pinned, what the mirror has instead, what is refused.

apt-get and dpkg-deb are stood in for by scripts: a mirror is a folder here.
"""

import hashlib
import os
from pathlib import Path

import pytest

from winpack import debian
from winpack.debian import Archive
from winpack.locks import Package, Source
from winpack.tools import BuildFailed

APT = """#!/bin/sh
for word; do last=$word; case $word in download|update|source|indextargets) verb=$word;; esac; done
echo "$verb $last" >>"$MIRROR/asked"
case "$verb $*" in
    indextargets*) cat "$MIRROR/targets" ;;
    download*--print-uris*) cd "$MIRROR" && for file in "$last"_*.deb; do echo "'somewhere' $file 1 SHA256:0"; done ;;
    download*) cp "$MIRROR/$last"_*.deb . ;;
    source*) cp "$MIRROR/$last"_*.tar.gz . ;;
esac
"""
DPKG = """#!/bin/sh
echo "$2" | sed 's/.*_\\(.*\\)_.*/\\1/'
"""
OS_RELEASE = Path("/etc/os-release")


def digest(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror with one version of one package; it may be changed."""
    folder = tmp_path / "mirror"
    for name, text in (("apt-get", APT), ("dpkg-deb", DPKG)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text.replace("$MIRROR", str(folder)))
        program.chmod(0o755)
    folder.mkdir()
    (folder / "libc6_2.41_amd64.deb").write_text("two forty-one")
    (folder / "opus_1.5.2.orig.tar.gz").write_text("opus")
    (folder / "targets").write_text("https://mirror.invalid/debian/ bookworm main\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(debian, "mirror", lambda: "https://mirror.invalid/debian/")
    monkeypatch.setattr(debian, "KEYRING", folder / "targets")
    return folder


def asked(mirror: Path) -> list[str]:
    file = mirror / "asked"
    return file.read_text().splitlines() if file.exists() else []


PINNED = Package("libc6", "2.41", digest("two forty-one"))


def test_what_is_pinned_is_fetched_once(mirror: Path, tmp_path: Path) -> None:
    for _ in range(2):
        archive = Archive(tmp_path / "cache")
        found = archive.packages([Package("libc6", "2.40", digest("older")), PINNED])
        assert [(it, file.read_text()) for it, file in found.items()] == [(PINNED, "two forty-one")]
        assert archive.notes == []
    assert asked(mirror) == ["update --error-on=any", "download libc6", "download libc6"]


def test_what_the_mirror_has_instead_is_taken_and_said(mirror: Path, tmp_path: Path) -> None:
    """A security update must not stop the build, nor change its bytes in silence."""
    (mirror / "libc6_2.41_amd64.deb").rename(mirror / "libc6_2.42_amd64.deb")
    (mirror / "libc6_2.42_amd64.deb").write_text("two forty-two")
    archive = Archive(tmp_path / "cache")
    ((found, file),) = archive.packages([PINNED]).items()
    assert (found, file.read_text()) == (Package("libc6", "2.42", digest("two forty-two")), "two forty-two")
    assert archive.notes == ["libc6 is 2.42 on the mirror, and 2.41 is pinned: the bytes will be others"]
    assert archive.newest("libc6") == found


def test_the_pinned_one_is_kept_when_the_mirror_has_moved_on(mirror: Path, tmp_path: Path) -> None:
    Archive(tmp_path / "cache").packages([PINNED])
    (mirror / "libc6_2.41_amd64.deb").rename(mirror / "libc6_2.42_amd64.deb")
    archive = Archive(tmp_path / "cache")
    assert list(archive.packages([PINNED])) == [PINNED]
    assert archive.notes == []


def test_the_same_version_with_other_bytes_is_said(mirror: Path, tmp_path: Path) -> None:
    (mirror / "libc6_2.41_amd64.deb").write_text("somebody else's")
    archive = Archive(tmp_path / "cache")
    archive.packages([PINNED])
    assert len(archive.notes) == 1


@pytest.mark.usefixtures("mirror")
def test_a_source_is_what_is_pinned_or_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "cache")
    assert archive.source(Source("opus", "opus_1.5.2.orig.tar.gz", digest("opus"))).read_text() == "opus"
    with pytest.raises(BuildFailed, match="is not the file that is pinned"):
        archive.source(Source("opus", "opus_1.5.2.orig.tar.gz", digest("another")))
    with pytest.raises(BuildFailed, match=r"no opus_1\.5\.1\.orig\.tar\.gz any more, but opus_1\.5\.2\.orig\.tar\.gz"):
        archive.source(Source("opus", "opus_1.5.1.orig.tar.gz", digest("opus")))


def test_the_mirror_is_this_machines_own(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", f"{mirror.parent / 'bin'}:{os.environ['PATH']}")
    (codename,) = [line.partition("=")[2] for line in OS_RELEASE.read_text().splitlines() if "VERSION_CODENAME" in line]
    rows = ["https://other.invalid/x jammy main", f"https://here.invalid/debian/ {codename} contrib"]
    (mirror / "targets").write_text("\n".join(rows) + "\n")
    with pytest.raises(BuildFailed, match="apt knows no mirror"):
        debian.mirror()
    (mirror / "targets").write_text("\n".join([*rows, f"http://mine.invalid/debian/ {codename} main"]) + "\n")
    assert debian.mirror() == "http://mine.invalid/debian/"
