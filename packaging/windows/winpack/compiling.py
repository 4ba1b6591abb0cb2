"""Compiles modules to .pyc; run by the Python 3.13 that the build brings along, and by nothing else.

Standard input has a line for each: SOURCE, TARGET and the name that tracebacks show, with tabs between. What is
compiled is checked against no date and no source when it is imported (PEP 552), so that a folder works whatever
dates its unpacking gives. A name that ends in ``*`` is of a module whose source comes along, and counts if it is
changed: there the source's sum is looked at. Imports the standard library alone.
"""

import importlib.util
import sys
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]  # what py_compile calls
from pathlib import Path


def main() -> int:
    """Compile all; 1 and a line for the first that does not compile."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for line in sys.stdin:
        source, target, name = line.rstrip("\n").split("\t")
        data = Path(source).read_bytes()
        try:
            code = compile(data, name.removesuffix("*"), "exec", dont_inherit=True)
        except SyntaxError as error:
            sys.stderr.write(f"{source}: {error}\n")
            return 1
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_bytes(_code_to_hash_pyc(code, importlib.util.source_hash(data), name.endswith("*")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
