"""Our source distribution and our wheel, by the setuptools that is pinned for the Windows folder, too.

What lives here: ``sdist`` and ``wheel``. May import the standard library, ``checkout`` and ``winpack``.
"""

import sys
from pathlib import Path
from typing import Final

from relpack.checkout import Checkout, repack
from winpack import locks
from winpack.tools import run
from winpack.wheels import Shelf, unpack

_BUILD: Final = "import sys; from setuptools import build_meta as it; getattr(it, 'build_' + sys.argv[1])(sys.argv[2])"


def setuptools(cache: Path, folder: Path) -> Path:
    """A folder with the pinned setuptools, for PYTHONPATH."""
    for file in Shelf(cache / "wheels").fetch(locks.wheels("build.lock")).values():
        unpack(file, folder)
    return folder


def built(kind: str, source: Path, tools: Path, variables: dict[str, str], python: str = sys.executable) -> Path:
    """What setuptools makes of a source by the interface of PEP 517: a wheel or an sdist, in a new folder beside it."""
    folder = source.with_name(f"{source.name}-{kind}")
    folder.mkdir()
    # -S -E would lose the tools; nothing of the interpreter's own packages is asked for.
    run(
        [python, "-c", _BUILD, kind, folder.absolute()], folder=source, variables=variables | {"PYTHONPATH": str(tools)}
    )
    (made,) = folder.iterdir()
    return made


def sdist(checkout: Checkout, tools: Path) -> Path:
    """The source distribution: all that is committed."""
    made = built("sdist", checkout.folder, tools, checkout.variables)
    repack(made, checkout.epoch)
    return made


def wheel(checkout: Checkout, tools: Path) -> Path:
    """The wheel: what a player or a host installs."""
    return built("wheel", checkout.folder, tools, checkout.variables)
