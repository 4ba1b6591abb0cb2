"""No DLL of the Windows folder is missing, and none may come from elsewhere."""

from pathlib import Path

from tests.packaging.images import image
from winpack.checking import unresolved


def put(root: Path, name: str, *dlls: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(image({dll: ["f"] for dll in dlls}))


def folder(root: Path) -> Path:
    put(root, "client.exe", "KERNEL32.dll", "api-ms-win-crt-math-l1-1-0.dll")
    put(root, "lib/python313.dll", "VCRUNTIME140.dll", "KERNEL32.dll")
    put(root, "lib/VCRUNTIME140.dll", "KERNEL32.dll")
    put(root, "lib/site-packages/numpy/_core/_umath.pyd", "python313.dll", "vcruntime140.DLL", "openblas-1.dll")
    put(root, "lib/site-packages/numpy.libs/openblas-1.dll", "KERNEL32.dll")
    return root


def test_what_windows_the_folder_or_the_packages_own_folder_has_is_found(tmp_path: Path) -> None:
    assert unresolved(folder(tmp_path)) == []


def test_what_wine_has_and_windows_has_not_is_missed(tmp_path: Path) -> None:
    """Wine comes with a VCRUNTIME140 of its own, Windows does not."""
    (folder(tmp_path) / "lib/VCRUNTIME140.dll").unlink()
    assert unresolved(tmp_path) == [
        "lib/python313.dll asks for VCRUNTIME140.dll",
        "lib/site-packages/numpy/_core/_umath.pyd asks for vcruntime140.DLL",
    ]


def test_another_packages_folder_is_not_searched(tmp_path: Path) -> None:
    put(folder(tmp_path), "lib/site-packages/other/_fast.pyd", "openblas-1.dll")
    assert unresolved(tmp_path) == ["lib/site-packages/other/_fast.pyd asks for openblas-1.dll"]
