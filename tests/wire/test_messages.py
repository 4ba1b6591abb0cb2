"""The messages: bounds of their fields, and no text that a terminal would obey."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.media.redundancy import Loss
from voicechat.wire import control, messages

FINGERPRINT = ":".join(["0F"] * 32)

FULL: list[messages.Message] = [
    messages.Welcome(
        1,
        "Ann",
        "den",
        9,
        [messages.Participant(2, "Ben")],
        1234,
        12_000,
        messages.TicketText("0" * 32, "f" * 64),
    ),
    messages.Joined(messages.Participant(2, "Ben")),
    messages.Left(2, "bye"),
    messages.Text("hello"),
    messages.Path("00ff"),
    messages.Bye("leaving"),
    messages.Request("Ann", "den"),
    messages.Offer(111, FINGERPRINT),
    messages.Accept("abcd", "p" * 24, FINGERPRINT, 1),
]
"""One of each kind that carries text, every text filled."""


def paths_to_text(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value texts stand."""
    if isinstance(value, str):
        return [path]
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in paths_to_text(inner, (*path, step))]


def with_text(message: messages.Message, path: tuple[Any, ...], text: str) -> bytes:
    """The control packet of ``message`` with ``text`` in place of what stands at ``path``."""
    fields = place = msgspec.to_builtins(message)
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = text
    kind = next(kind for kind, made in control.KINDS.items() if made is type(message))
    return bytes([kind]) + json.dumps(fields).encode()


TEXTS = [
    (message, path)
    for message in FULL
    for path in paths_to_text(msgspec.to_builtins(message))
    if path[-1] != "quality"  # of a word that is not known nothing is kept
]


def test_every_message_with_text_is_among_the_examples() -> None:
    having = {made for made in control.KINDS.values() if "'string'" in repr(msgspec.json.schema(made))}
    assert having == {type(message) for message in FULL}


@pytest.mark.parametrize(
    ("message", "path"), TEXTS, ids=[".".join([type(m).__name__, *map(str, path)]) for m, path in TEXTS]
)
@given(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Co"]), st.sampled_from(["{}", "a{}", "{}a", "a{}b"]))
def test_control_characters_never_pass_in_any_text_of_any_message(
    message: messages.Message, path: tuple[Any, ...], character: str, around: str
) -> None:
    with pytest.raises(WireError):
        control.decode(with_text(message, path, around.format(character)))


@pytest.mark.parametrize(
    ("message", "path"), TEXTS, ids=[".".join([type(m).__name__, *map(str, path)]) for m, path in TEXTS]
)
def test_no_text_is_longer_than_its_bound(message: messages.Message, path: tuple[Any, ...]) -> None:
    with pytest.raises(WireError):
        control.decode(with_text(message, path, "a" * 2049))


OUT_OF_RANGE: list[tuple[type[messages.Message], dict[str, Any]]] = [
    *((kind, {"source": source}) for kind in (messages.Away, messages.Back, messages.Left) for source in (0, 251, -1)),
    (messages.Talk, {"source": 0, "talking": True}),
    (messages.Talk, {"source": 255, "talking": True}),
    (messages.State, {"source": 251}),
    (messages.Text, {"text": "x", "source": 251}),
    (messages.Gain, {"source": 0, "gain": 1.0}),
    (messages.Joined, {"participant": {"source": 0, "name": "x"}}),
    (messages.Joined, {"participant": {"source": 251, "name": "x"}}),
    (messages.Bye, {"retry": -1.0}),
    (messages.Bye, {"retry": 3601.0}),
    (messages.Request, {"name": "x", "quality": 1}),
    (messages.Path, {"token": "not hex"}),
    (messages.Path, {"token": "00" * 65}),
    (messages.Offer, {"payload_type": 128, "fingerprint": FINGERPRINT}),
    (messages.Offer, {"payload_type": 111, "fingerprint": FINGERPRINT.lower()}),
    (messages.Accept, {"ufrag": "abcd", "password": "p" * 21, "fingerprint": FINGERPRINT, "ssrc": 1}),
    (messages.Accept, {"ufrag": "a b\r\n", "password": "p" * 22, "fingerprint": FINGERPRINT, "ssrc": 1}),
    (messages.Accept, {"ufrag": "abcd", "password": "p" * 22, "fingerprint": FINGERPRINT, "ssrc": 1 << 32}),
]


@pytest.mark.parametrize(("kind", "fields"), OUT_OF_RANGE)
def test_values_out_of_range_are_refused(kind: type[messages.Message], fields: dict[str, Any]) -> None:
    number = next(number for number, made in control.KINDS.items() if made is kind)
    with pytest.raises(WireError):
        control.decode(bytes([number]) + json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", 0),
        ("source", 251),
        ("connection", -1),
        ("connection", 1 << 24),
        ("udp_port", 65_536),
        ("bitrate", 7_999),
        ("bitrate", 64_001),
        ("roster", [{"source": number % 250 + 1, "name": "x"} for number in range(251)]),
        ("ticket", {"id": "0" * 31, "secret": "0" * 64}),
        ("ticket", {"id": "0" * 32, "secret": "0" * 62}),
        ("ticket", {"id": "0" * 32, "secret": "x" * 64}),
        ("ticket", {"id": "0" * 32}),
    ],
)
def test_a_welcome_that_no_client_can_use_is_refused(field: str, value: object) -> None:
    fields = {**msgspec.to_builtins(FULL[0]), field: value}
    with pytest.raises(WireError):
        control.decode(b"\x80" + json.dumps(fields).encode())


def test_messages_are_values_that_nobody_changes() -> None:
    text = messages.Text("x")
    with pytest.raises(AttributeError):
        text.text = "y"  # type: ignore[misc]
    assert text == messages.Text("x")


def test_a_ticket_does_not_show_itself() -> None:
    welcome = FULL[0]
    assert "f" * 64 not in repr(welcome)
    assert "f" * 64 not in str(welcome)
    assert "p" * 24 not in repr(FULL[-1]) + str(FULL[-1])


def test_a_report_is_news_for_the_redundancy_policy() -> None:
    assert messages.Report(50, 3, 2).loss() == Loss(50, 3, 2)
