"""The last commit, in a folder of its own.

What lives here: ``Checkout``. May import the standard library and ``winpack.tools``. What lies around in the working
folder, committed or not, cannot get into what goes out.
"""

import io
import os
import tarfile
from pathlib import Path

from winpack.tools import BuildFailed, run


class Checkout:
    """The files of a repository's last commit in ``folder``, each with the commit's date."""

    def __init__(self, root: Path, folder: Path) -> None:
        if not (root / ".git").exists():
            raise BuildFailed("this folder is no clone; what goes out is made of a commit: git clone")
        self.folder = folder
        self.epoch = int(run(["git", "-C", root, "log", "-1", "--format=%ct"]))
        """Seconds since 1970 of the commit: the date of all that is built."""
        self.changed = bool(run(["git", "-C", root, "status", "--porcelain"]))
        """Whether the working folder has more, or other, than was committed."""
        packed = folder.with_suffix(".tar")
        run(["git", "-C", root, "-c", "tar.umask=0022", "archive", "--output", packed.absolute(), "HEAD"])
        with tarfile.open(packed) as file:
            file.extractall(folder, filter="data")
        packed.unlink()

    @property
    def variables(self) -> dict[str, str]:
        """What tells build tools the date."""
        return {"SOURCE_DATE_EPOCH": str(self.epoch)}


def repack(tarball: Path, epoch: int) -> None:
    """Write a .tar.gz anew, so that it says nothing of when, where and by whom it was made.

    setuptools gives each file the owner and the date that it finds, and the date of now to gzip.
    """
    import gzip

    packed = io.BytesIO()
    with (
        tarfile.open(tarball) as old,
        gzip.GzipFile("", "wb", 9, packed, epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda it: it.name):
            same = tarfile.TarInfo(member.name)
            same.type, same.size, same.mtime = member.type, member.size, epoch
            same.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(same, old.extractfile(member) if member.isfile() else None)
    tarball.write_bytes(packed.getvalue())
    os.utime(tarball, (epoch, epoch))
