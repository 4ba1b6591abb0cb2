"""Control packets: what was built is read back, and any bytes are a message, nothing, or a WireError."""

import base64
import contextlib
import json
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicechat.errors import WireError
from voicechat.media.quality import Quality
from voicechat.wire import control, messages

KIND_BY_TYPE = {message: kind for kind, message in control.KINDS.items()}

TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=40)
SOURCES = st.integers(1, 250)
COUNTS = st.integers(0, 1 << 53)
HEX = st.integers(0, (1 << 128) - 1).map(lambda number: f"{number:032x}")
FINGERPRINTS = st.binary(min_size=32, max_size=32).map(lambda digest: digest.hex(":").upper())
ICE = st.binary(min_size=18, max_size=60).map(lambda data: base64.b64encode(data).decode().rstrip("="))
QUALITIES = st.sampled_from(Quality)
PARTICIPANTS = st.builds(messages.Participant, SOURCES, TEXTS, st.booleans(), st.booleans(), st.booleans(), QUALITIES)
TICKETS = st.builds(messages.TicketText, HEX, st.tuples(HEX, HEX).map("".join))
WELCOMES = st.builds(
    messages.Welcome,
    SOURCES,
    TEXTS,
    TEXTS,
    st.integers(0, (1 << 24) - 1),
    st.lists(PARTICIPANTS, max_size=5),
    st.integers(0, 65535),
    st.integers(8_000, 64_000),
    st.none() | TICKETS,
    st.integers(0, 250),
    QUALITIES,
)
MESSAGES: st.SearchStrategy[messages.Message] = st.one_of(
    WELCOMES,
    st.builds(messages.Joined, PARTICIPANTS),
    st.builds(messages.Left, SOURCES, TEXTS),
    st.builds(messages.Away, SOURCES),
    st.builds(messages.Back, SOURCES),
    st.builds(messages.Talk, SOURCES, st.booleans()),
    st.builds(messages.State, st.booleans(), st.booleans(), st.integers(0, 250)),
    st.builds(messages.Gain, SOURCES, st.floats(0, 8)),
    st.builds(messages.Text, TEXTS, st.integers(0, 250)),
    st.builds(messages.Ping, COUNTS),
    st.builds(messages.Pong, COUNTS),
    st.builds(messages.Path, HEX),
    st.builds(messages.Report, COUNTS, COUNTS, COUNTS),
    st.builds(messages.Offer, st.integers(0, 127), FINGERPRINTS),
    st.builds(messages.Accept, ICE, ICE, FINGERPRINTS, st.integers(1, (1 << 32) - 1)),
    st.builds(messages.Bye, TEXTS, st.floats(0, 3600)),
    st.builds(messages.Request, TEXTS, TEXTS, st.booleans(), QUALITIES),
)
KINDS = st.sampled_from(sorted(control.KINDS))

# JSON of any shape, with what trips parsers: great and odd numbers, lone surrogates, depth.
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.integers(-2, 300)
    | st.floats()
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def packet(kind: int, text: str | bytes) -> bytes:
    """A control packet with this JSON."""
    return bytes([kind]) + (text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


def is_a_value_or_a_wire_error(data: bytes) -> None:
    """Decode; what passes can be encoded again and is then the same."""
    with contextlib.suppress(WireError):
        message = control.decode(data)
        if message is not None:
            assert control.decode(control.encode(message)) == message


@given(MESSAGES)
def test_what_was_encoded_is_read_back(message: messages.Message) -> None:
    data = control.encode(message)
    assert data[0] == KIND_BY_TYPE[type(message)]
    assert control.decode(data) == message


@given(st.binary(max_size=300))
@example(b"")
def test_garbage_is_a_value_or_a_wire_error(data: bytes) -> None:
    is_a_value_or_a_wire_error(data)


@given(KINDS, st.binary(max_size=100))
def test_garbage_behind_a_known_kind_is_a_value_or_a_wire_error(kind: int, data: bytes) -> None:
    is_a_value_or_a_wire_error(packet(kind, data))


@given(KINDS, JSON_VALUES)
def test_any_json_is_a_value_or_a_wire_error(kind: int, value: object) -> None:
    is_a_value_or_a_wire_error(packet(kind, json.dumps(value, ensure_ascii=False)))


@given(MESSAGES, st.data())
def test_a_wrong_value_in_any_field_is_a_value_or_a_wire_error(message: messages.Message, data: st.DataObject) -> None:
    fields = msgspec.to_builtins(message)
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(JSON_VALUES)
    is_a_value_or_a_wire_error(packet(KIND_BY_TYPE[type(message)], json.dumps(fields, ensure_ascii=False)))


@given(MESSAGES, st.data())
def test_every_truncation_is_refused(message: messages.Message, data: st.DataObject) -> None:
    whole = control.encode(message)
    with pytest.raises(WireError):
        control.decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


HOSTILE = {
    "brackets as deep as a string is long": b"[" * 4095,
    "objects as deep as a string is long": b'{"id":' * 682,
    "a deep value in an unknown field": b'{"id":1,"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "an integer of 4 000 digits": b'{"id":' + b"9" * 4000 + b"}",
    "an exponent without end": b'{"id":1e999999999}',
    "NaN": b'{"id":NaN}',
    "Infinity": b'{"id":Infinity}',
    "a lone surrogate": b'{"id":"\\ud800"}',
    "bad UTF-8": b'{"id":"\xff\xfe"}',
    "UTF-8 of a surrogate": b'{"id":"\xed\xa0\x80"}',
    "overlong UTF-8": b'{"id":"\xc0\x80"}',
    "a byte order mark": b'\xef\xbb\xbf{"id":1}',
    "two objects": b'{"id":1}{"id":2}',
    "a comma at the end": b'{"id":1,}',
    "single quotes": b"{'id':1}",
    "an array": b"[1]",
    "a fraction": b'{"id":1.5}',
    "a number as text": b'{"id":"1"}',
    "below zero": b'{"id":-1}',
    "beyond 2^53": b'{"id":9007199254740993}',
    "truth for a number": b'{"id":true}',
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_refused(text: bytes) -> None:
    before = sys.getrecursionlimit()
    with contextlib.suppress(WireError):
        assert control.decode(packet(0x89, text)) == messages.Ping(1)
        assert text == HOSTILE["a deep value in an unknown field"]
    assert sys.getrecursionlimit() == before


@pytest.mark.parametrize("gain", ["NaN", "1e400", "-0.1", "8.1", "null", '"1"', "[]"])
def test_a_gain_is_a_sane_number(gain: str) -> None:
    with pytest.raises(WireError):
        control.decode(packet(0x87, f'{{"source":1,"gain":{gain}}}'))


@given(
    MESSAGES, st.dictionaries(st.text(min_size=1, max_size=8).map(lambda name: "x-" + name), JSON_VALUES, max_size=3)
)
def test_unknown_fields_are_ignored(message: messages.Message, newer: dict[str, Any]) -> None:
    text = json.dumps({**msgspec.to_builtins(message), **newer}, ensure_ascii=False)
    data = packet(KIND_BY_TYPE[type(message)], text)
    try:
        msgspec.json.decode(data[1:])
    except (msgspec.DecodeError, UnicodeDecodeError):  # what was added is no JSON: NaN, or half a surrogate
        is_a_value_or_a_wire_error(data)
    else:
        assert control.decode(data) == message


@pytest.mark.parametrize("kind", [kind for kind in range(0x80, 0x100) if kind not in control.KINDS])
def test_unknown_kinds_are_ignored(kind: int) -> None:
    assert control.decode(packet(kind, b'{"anything":1}')) is None
    assert control.decode(packet(kind, b"not even JSON \xff")) is None


@pytest.mark.parametrize("first", range(0x80))
def test_media_is_no_control_packet(first: int) -> None:
    with pytest.raises(WireError):
        control.decode(packet(first, b'{"id":1}'))


REQUIRED = {
    name: tuple(field.name for field in msgspec.structs.fields(message) if field.required)
    for name, message in ((message.__name__, message) for message in control.KINDS.values())
}


@given(MESSAGES, st.data())
def test_a_missing_field_is_refused_unless_it_has_a_default(message: messages.Message, data: st.DataObject) -> None:
    fields = msgspec.to_builtins(message)
    name = data.draw(st.sampled_from(sorted(fields)))
    del fields[name]
    text = packet(KIND_BY_TYPE[type(message)], json.dumps(fields))
    if name in REQUIRED[type(message).__name__]:
        with pytest.raises(WireError):
            control.decode(text)
    else:
        assert isinstance(control.decode(text), type(message))


# The normative bytes; they are never changed, only added to.
EXAMPLES: dict[str, messages.Message] = {
    '81 {"participant":{"source":2,"name":"Ben","away":false,"muted":true,"deafened":false,"quality":"normal"}}': (
        messages.Joined(messages.Participant(2, "Ben", muted=True))
    ),
    '82 {"source":2,"reason":""}': messages.Left(2),
    '83 {"source":2}': messages.Away(2),
    '84 {"source":2}': messages.Back(2),
    '85 {"source":2,"talking":true}': messages.Talk(2, talking=True),
    '86 {"muted":true,"deafened":false,"source":0}': messages.State(muted=True),
    '87 {"source":2,"gain":0.5}': messages.Gain(2, 0.5),
    '88 {"text":"gg","source":0}': messages.Text("gg"),
    '89 {"id":7}': messages.Ping(7),
    '8a {"id":7}': messages.Pong(7),
    '8b {"token":"0123456789abcdef"}': messages.Path("0123456789abcdef"),
    '8c {"expected":50,"lost":1,"bursts":1}': messages.Report(50, 1, 1),
    '8d {"reason":"leaving","retry":0.0}': messages.Bye(messages.LEAVING),
    '8e {"name":"Ann","quality":"saver"}': messages.Request("Ann", quality=Quality.SAVER),
}


@pytest.mark.parametrize(("line", "message"), EXAMPLES.items(), ids=[type(m).__name__ for m in EXAMPLES.values()])
def test_the_layout_is_the_documented_one(line: str, message: messages.Message) -> None:
    data = packet(int(line[:2], 16), line[3:])
    assert control.encode(message) == data
    assert control.decode(data) == message


def test_the_shortest_welcome_is_understood() -> None:
    data = packet(0x80, '{"source":1,"name":"Ann","room":"","connection":0,"roster":[]}')
    assert control.decode(data) == messages.Welcome(1, "Ann", "", 0, [], udp_port=0, bitrate=12_000, ticket=None)


@pytest.mark.parametrize("fields", ["", ',"quality":"holographic"', ',"capabilities":["of another version"]'])
def test_a_quality_that_is_missing_or_not_known_yet_is_normal(fields: str) -> None:
    assert control.decode(packet(0x8E, '{"name":"Ann"' + fields + "}")) == messages.Request("Ann")
    joined = packet(0x81, '{"participant":{"source":2,"name":"Ben"' + fields + "}}")
    assert control.decode(joined) == messages.Joined(messages.Participant(2, "Ben"))


def test_kinds_are_control_packets_and_each_has_its_own() -> None:
    assert all(0x80 <= kind <= 0xFF for kind in control.KINDS)
    assert len(set(control.KINDS.values())) == len(control.KINDS)
    assert {message for message in vars(messages).values() if _is_message(message)} == set(control.KINDS.values())


def _is_message(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, messages.Message) and value is not messages.Message
