"""Small PE files, made of bytes: as much of one as `winpack.pe` reads."""

import struct
from collections.abc import Mapping, Sequence

SECTION_AT = 0x1000
"""The address of the only section."""

FILE_AT = 0x400
"""Where its bytes lie in the file."""

DIRECTORIES = 16


class _Section:
    """Bytes that are added one after the other, and the address of each."""

    def __init__(self) -> None:
        self.data = bytearray()

    def put(self, data: bytes) -> int:
        address = SECTION_AT + len(self.data)
        self.data += data
        return address

    def text(self, text: str) -> int:
        return self.put(text.encode() + b"\0")


def image(
    imports: Mapping[str, Sequence[str | int]] | None = None,
    delayed: Mapping[str, Sequence[str | int]] | None = None,
    exports: Sequence[str] = (),
) -> bytes:
    """A PE file that asks for ``imports`` and ``delayed`` and gives ``exports``, all of them functions."""
    section = _Section()
    directories = [0] * DIRECTORIES
    if imports:
        rows = [
            struct.pack("<IIIII", _thunks(section, names), 0, 0, section.text(dll), 0) for dll, names in imports.items()
        ]
        directories[1] = section.put(b"".join(rows) + bytes(20))
    if delayed:
        rows = [
            struct.pack("<IIIIIIII", 1, section.text(dll), 0, 0, _thunks(section, names), 0, 0, 0)
            for dll, names in delayed.items()
        ]
        directories[13] = section.put(b"".join(rows) + bytes(32))
    if exports:
        code = section.put(b"\xc3")
        functions = section.put(struct.pack(f"<{len(exports)}I", *[code] * len(exports)))
        texts = [section.text(name) for name in exports]
        names = section.put(struct.pack(f"<{len(texts)}I", *texts))
        ordinals = section.put(struct.pack(f"<{len(exports)}H", *range(len(exports))))
        counts = (1, len(exports), len(exports))
        directories[0] = section.put(struct.pack("<IIIIIIIIII", 0, 0, 0, 0, *counts, functions, names, ordinals))
    return _file(bytes(section.data), directories)


def _thunks(section: _Section, names: Sequence[str | int]) -> int:
    values = [1 << 63 | name if isinstance(name, int) else section.text("\0\0" + name) for name in names]
    return section.put(struct.pack(f"<{len(values) + 1}Q", *values, 0))


def _file(section: bytes, directories: Sequence[int]) -> bytes:
    optional = struct.pack("<H", 0x20B).ljust(108, b"\0") + struct.pack("<I", len(directories))
    optional += b"".join(struct.pack("<II", address, 1 if address else 0) for address in directories)
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0x22)
    row = struct.pack("<8sIIIIIIHHI", b".all", len(section), SECTION_AT, len(section), FILE_AT, 0, 0, 0, 0, 0x60000020)
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    return (start + header + optional + row).ljust(FILE_AT, b"\0") + section
