"""What is compiled is imported whatever its date, and the zip's bytes depend on names and contents alone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from winpack import library
from winpack.leaving import library_keeps
from winpack.library import write_zip

COMPILING = Path(library.__file__).with_name("compiling.py")


def compiled(*rows: tuple[Path, Path, str]) -> subprocess.CompletedProcess[str]:
    told = "".join(f"{source}\t{target}\t{name}\n" for source, target, name in rows)
    return subprocess.run([sys.executable, COMPILING], input=told, capture_output=True, text=True, check=False)


def said_by(folder: Path, module: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}; print({module}.WORD)"
    return subprocess.run(
        [sys.executable, "-B", "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_compiled_module_stands_in_for_its_source(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("WORD = 'one'\n")
    folder = tmp_path / "packages"
    assert compiled((source, folder / "thing.pyc", "thing.py")).returncode == 0
    assert said_by(folder, "thing") == "one"


def test_where_the_source_comes_along_it_counts_when_it_is_changed(tmp_path: Path) -> None:
    """Even if its date and its length are the same: an archive gives any date."""
    source = tmp_path / "thing.py"
    source.write_text("WORD = 'one'\n")
    cached = tmp_path / "__pycache__" / f"thing.{sys.implementation.cache_tag}.pyc"
    assert compiled((source, cached, "thing.py*")).returncode == 0
    os.utime(source, (0, 0))
    assert said_by(tmp_path, "thing") == "one"
    source.write_text("WORD = 'two'\n")
    os.utime(source, (0, 0))
    assert said_by(tmp_path, "thing") == "two"


def test_the_same_bytes_come_of_it_wherever_it_is_compiled(tmp_path: Path) -> None:
    for folder in ("a", "b b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "thing.py").write_text("def f(x={1, 'a', 'b'}): return x in {'a', 'b', 'c'}\n")
        compiled((tmp_path / folder / "thing.py", tmp_path / folder / "thing.pyc", "thing.py"))
    assert (tmp_path / "a/thing.pyc").read_bytes() == (tmp_path / "b b/thing.pyc").read_bytes()


def test_what_does_not_compile_is_named(tmp_path: Path) -> None:
    source = tmp_path / "bad.py"
    source.write_text("def\n")
    done = compiled((source, tmp_path / "bad.pyc", "bad.py"))
    assert done.returncode == 1
    assert f"{source}: invalid syntax" in done.stderr


def test_two_zips_of_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for folder, date, mode in (("a", 1_000_000_000, 0o600), ("b", 1_500_000_000, 0o755)):
        files = {}
        for name in ("top/z.txt", "top/a.txt") if folder == "a" else ("top/a.txt", "top/z.txt"):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name * 100)
            path.chmod(mode)
            os.utime(path, (date, date))
            files[name] = path
        write_zip(tmp_path / f"{folder}.zip", files)
        made.append((tmp_path / f"{folder}.zip").read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.namelist() == ["top/a.txt", "top/z.txt"]
        assert file.read("top/z.txt") == b"top/z.txt" * 100


def test_pythons_own_tests_and_debians_files_stay_behind() -> None:
    left = [
        "test/support.py",
        "sitecustomize.py",
        "_sysconfigdata__x86_64-linux-gnu.py",
        "config-3.13/x.py",
        "asyncio/test/a.py",
    ]
    assert [name for name in left if library_keeps(Path(name))] == []
    assert all(library_keeps(Path(name)) for name in ("asyncio/windows_events.py", "ntpath.py", "unittest/mock.py"))
