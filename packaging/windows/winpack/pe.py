"""What a Windows program or DLL says about itself: the DLLs that it asks for, and the names that it gives.

What lives here: ``imports`` and ``exports`` of a PE file of 64 bits, read from its bytes. May import the standard
library. Layout: Microsoft's "PE Format". A file that is none, or is cut short, raises `NotPE`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PE32_PLUS: Final = 0x20B
"""The magic number of an optional header of 64 bits."""

_EXPORTS, _IMPORTS, _DELAYED_IMPORTS = 0, 1, 13
"""Places in the table of data directories."""

_DIRECTORIES_AT: Final = 112
"""Where that table begins in an optional header of 64 bits."""

_CODE: Final = 0x20000000
"""IMAGE_SCN_MEM_EXECUTE: the section's flag."""

_BY_NUMBER: Final = 1 << 63
"""The flag of an import that has no name."""


class NotPE(Exception):
    """The bytes are no PE file of 64 bits that can be read."""


@dataclass(frozen=True)
class Export:
    """A name that a DLL gives; ``code`` is False for a variable."""

    name: str
    code: bool


def imports(data: bytes) -> dict[str, frozenset[str]]:
    """The DLLs that are asked for, as they are written, delayed ones too; and the functions (``#7``: by number)."""
    with _reading():
        image = _Image(data)
        found: dict[str, frozenset[str]] = {}
        for dll, names in (*image.imports(), *image.delayed_imports()):
            found[dll] = found.get(dll, frozenset()) | names
        return found


def exports(data: bytes) -> list[Export]:
    """All that a DLL gives by name, in its own order."""
    with _reading():
        return list(_Image(data).exports())


class _reading:  # noqa: N801  # a context manager
    """Whatever goes wrong in reading says that this is no PE file."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, struct.error | ValueError | IndexError):
            raise NotPE(f"this is no PE file of 64 bits: {error}") from error


@dataclass(frozen=True)
class _Section:
    address: int
    size: int
    offset: int
    flags: int


class _Image:
    """A PE file's bytes, and where addresses lie in them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if data[:2] != b"MZ":
            raise ValueError("it does not begin with MZ")
        (header,) = struct.unpack_from("<I", data, 0x3C)
        if data[header : header + 4] != b"PE\0\0":
            raise ValueError("it has no PE header")
        (count,) = struct.unpack_from("<H", data, header + 6)
        (optional_size,) = struct.unpack_from("<H", data, header + 20)
        self._optional = header + 24
        (magic,) = struct.unpack_from("<H", data, self._optional)
        if magic != _PE32_PLUS:
            raise ValueError(f"its magic number is {magic:#x}")
        self._sections = list(self._read_sections(self._optional + optional_size, count))

    def _read_sections(self, start: int, count: int) -> Iterator[_Section]:
        for k in range(count):
            virtual, address, raw, offset = struct.unpack_from("<IIII", self._data, start + 40 * k + 8)
            (flags,) = struct.unpack_from("<I", self._data, start + 40 * k + 36)
            yield _Section(address, max(virtual, raw), offset, flags)

    def imports(self) -> Iterator[tuple[str, frozenset[str]]]:
        place = self._directory(_IMPORTS)
        while place is not None:
            lookup, _, _, name, bound = struct.unpack_from("<IIIII", self._data, place)
            if not name:
                return
            yield self._text(name), frozenset(self._thunks(lookup or bound))
            place += 20

    def delayed_imports(self) -> Iterator[tuple[str, frozenset[str]]]:
        place = self._directory(_DELAYED_IMPORTS)
        while place is not None:
            _, name, _, _, lookup, _, _, _ = struct.unpack_from("<IIIIIIII", self._data, place)
            if not name:
                return
            yield self._text(name), frozenset(self._thunks(lookup))
            place += 32

    def exports(self) -> Iterator[Export]:
        place = self._directory(_EXPORTS)
        if place is None:
            return
        _, names, functions, name_table, ordinals = struct.unpack_from("<IIIII", self._data, place + 20)
        for k in range(names):
            (name,) = struct.unpack_from("<I", self._data, self._place(name_table) + 4 * k)
            (ordinal,) = struct.unpack_from("<H", self._data, self._place(ordinals) + 2 * k)
            (target,) = struct.unpack_from("<I", self._data, self._place(functions) + 4 * ordinal)
            yield Export(self._text(name), bool(self._section(target).flags & _CODE))

    def _thunks(self, address: int) -> Iterator[str]:
        place = self._place(address)
        while value := struct.unpack_from("<Q", self._data, place)[0]:
            yield f"#{value & 0xFFFF}" if value & _BY_NUMBER else self._text((value & 0x7FFFFFFF) + 2)
            place += 8

    def _directory(self, number: int) -> int | None:
        (count,) = struct.unpack_from("<I", self._data, self._optional + _DIRECTORIES_AT - 4)
        if number >= count:
            return None
        (address,) = struct.unpack_from("<I", self._data, self._optional + _DIRECTORIES_AT + 8 * number)
        return self._place(address) if address else None

    def _text(self, address: int) -> str:
        place = self._place(address)
        return self._data[place : self._data.index(b"\0", place)].decode("ascii")

    def _place(self, address: int) -> int:
        section = self._section(address)
        return address - section.address + section.offset

    def _section(self, address: int) -> _Section:
        for section in self._sections:
            if section.address <= address < section.address + section.size:
                return section
        raise ValueError(f"no section holds the address {address:#x}")
