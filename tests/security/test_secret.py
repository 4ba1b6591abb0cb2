"""A password never shows, whatever is done with it."""

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import ConfigError
from voicechat.security.secret import ALPHABET, Secret, generate

CANARY = "canary-pässword"


@pytest.mark.parametrize("show", [repr, str, format, "{!r:>30}".format, "{:>30}".format, "%s".__mod__, "%r".__mod__])
def test_no_way_of_printing_shows_it(show: object) -> None:
    assert callable(show)
    assert "canary" not in show(Secret(CANARY))


def test_no_container_shows_it() -> None:
    assert "canary" not in repr([Secret(CANARY)]) + repr({"password": Secret(CANARY)}) + f"{(Secret(CANARY),)}"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY), protocol)
    with pytest.raises(TypeError):
        Secret(CANARY).__getstate__()


def test_it_has_no_dictionary_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_a_copy_is_the_same_secret() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_its_owner_can_have_it_back() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert Secret(CANARY).to_bytes() == CANARY.encode()


@given(st.text(min_size=1), st.text(min_size=1))
def test_equal_texts_are_equal_secrets_and_no_others(one: str, other: str) -> None:
    assert Secret(one) == Secret(one)
    assert (Secret(one) == Secret(other)) == (Secret(one).reveal() == Secret(other).reveal())
    assert Secret(one) != one


def test_it_cannot_be_a_key_of_a_dictionary() -> None:
    with pytest.raises(TypeError):
        hash(Secret(CANARY))


def test_a_composed_and_a_combining_accent_are_the_same() -> None:
    assert Secret("caf\u00e9") == Secret("cafe\u0301")
    assert Secret("cafe\u0301").to_bytes() == b"caf\xc3\xa9"


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(ConfigError):
        Secret("")


def test_undecodable_bytes_are_refused_without_showing_the_rest() -> None:
    with pytest.raises(ConfigError) as caught:
        Secret("canary\udcff")
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "canary" not in "".join(traceback.TracebackException.from_exception(error).format_exception_only())


def test_short_passwords_are_told() -> None:
    assert Secret("1234567").is_short
    assert not Secret("12345678").is_short


def test_generated_passwords_are_easy_to_type_and_never_the_same() -> None:
    made = [generate().reveal() for _ in range(200)]
    assert len(set(made)) == len(made)
    for text in made:
        assert [len(group) for group in text.split("-")] == [4, 4, 4]
        assert set(text) <= set(ALPHABET) | {"-"}
        assert not set(text) & set("0o1li")


def test_generated_passwords_hold_at_least_fifty_bits() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert len(ALPHABET) ** 12 >= 2**50


def test_every_letter_of_the_alphabet_is_used() -> None:
    # 2 400 draws leave one of 31 letters out once in 10^33 runs
    assert set("".join(generate().reveal() for _ in range(200))) == set(ALPHABET) | {"-"}
