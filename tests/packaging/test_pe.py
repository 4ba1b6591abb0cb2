"""What a PE file asks for and gives."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packaging.images import image
from winpack.pe import NotPE, exports, imports

NAMES = st.text("ABCabc019_@?", min_size=1, max_size=12)
FUNCTIONS = st.lists(NAMES | st.integers(0, 0xFFFF), max_size=4)
DLLS = st.dictionaries(NAMES.map(lambda name: f"{name}.dll"), FUNCTIONS, max_size=4)


def written(names: list[str | int]) -> frozenset[str]:
    return frozenset(f"#{name}" if isinstance(name, int) else name for name in names)


@given(DLLS, DLLS)
def test_every_dll_is_found_delayed_or_not_with_its_functions(
    now: dict[str, list[str | int]], later: dict[str, list[str | int]]
) -> None:
    wanted = {dll: written(now.get(dll, [])) | written(later.get(dll, [])) for dll in now | later}
    assert imports(image(now, later)) == wanted


@given(st.lists(NAMES, max_size=6, unique=True))
def test_every_name_that_is_given_is_found_in_its_order(names: list[str]) -> None:
    assert [it.name for it in exports(image(exports=names))] == names


def test_a_function_is_told_from_a_variable() -> None:
    data = image(exports=["run"])
    assert exports(data)[0].code
    (flags,) = [data.index(bytes.fromhex("20000060"))]
    assert not exports(data[:flags] + bytes.fromhex("40000040") + data[flags + 4 :])[0].code


WHOLE = image({"a.dll": ["f", 7], "b.dll": ["g"]}, {"c.dll": ["h"]}, ["run", "stop"])


@given(st.binary(max_size=300), st.integers(0, len(WHOLE)))
def test_garbage_is_a_value_or_no_pe(data: bytes, at: int) -> None:
    for broken in (data, WHOLE[:at], WHOLE[:at] + data + WHOLE[at + len(data) :]):
        for read in (imports, exports):
            with contextlib.suppress(NotPE):
                read(broken)


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF" + bytes(100), WHOLE.replace(b"PE\0\0", b"NE\0\0"), WHOLE[:80]])
def test_what_is_none_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotPE, match="no PE file"):
        imports(data)
