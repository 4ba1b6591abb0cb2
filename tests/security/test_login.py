"""The login: done when both know the password and nobody touched a bit; else refused, and nothing leaks."""

import contextlib
import copy
import functools
import gc
import hashlib
import traceback
import types
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st
from spake2 import ed25519_basic

from voicechat.errors import PasswordRefused, WireError
from voicechat.security.keys import SessionKeys, Side, login_keys
from voicechat.security.login import FIELD, ClientLogin, ServerLogin
from voicechat.security.secret import Secret
from voicechat.wire.datagrams import DatagramType, parse_header
from voicechat.wire.handshake import Auth, Hello, Reason, Refuse, Reply, SealedWelcome, VersionError, decode

Login = TypeVar("Login", ClientLogin, ServerLogin)

CANARY = "canary-pässword"
PASSWORD = Secret(CANARY)
WRONG = Secret("another-password")
REQUEST = b'{"name":"ann","room":"den"}'
RESPONSE = b'{"source":1,"connection":77}'
REFUSED = (WireError, PasswordRefused)


def drip(seed: bytes) -> Callable[[int], bytes]:
    """Entropy that is the same in each run."""
    return lambda length: hashlib.shake_256(seed + bytes([length])).digest(length)


def repeating_client() -> ClientLogin:
    return ClientLogin(PASSWORD, drip(b"client"))


def repeating_server() -> ServerLogin:
    return ServerLogin(PASSWORD, drip(b"server"))


def twin(login: Login) -> Login:
    """A login in the same state that goes its own way from here."""
    other = copy.copy(login)
    other._pake = copy.copy(login._pake)
    other._keys = copy.copy(login._keys)
    if other._keys is not None:
        for end in ("seal", "opener"):
            setattr(other._keys, end, copy.copy(getattr(login._keys, end)))
    return other


class Recording:
    """A login that went well: its four strings, and each side as it was when it waited for its last one."""

    def __init__(self) -> None:
        client, server = repeating_client(), repeating_server()
        self.hello = client.hello()
        self.reply = server.reply(self.hello)
        self._server = twin(server)
        self.auth = client.auth(self.reply, REQUEST)
        self._client = twin(client)
        assert server.auth(self.auth) == REQUEST
        self.welcome = server.welcome(RESPONSE)
        assert client.welcome(self.welcome) == RESPONSE

    def server(self) -> ServerLogin:
        """The server before AUTH."""
        return twin(self._server)

    def client(self) -> ClientLogin:
        """The client before WELCOME."""
        return twin(self._client)


record = functools.cache(Recording)


def damaged(string: bytes) -> Iterator[bytes]:
    """Every copy with one bit changed, every truncation, and one byte too many."""
    number = int.from_bytes(string, "big")
    for bit in range(8 * len(string)):
        yield (number ^ 1 << bit).to_bytes(len(string), "big")
    for length in range(len(string)):
        yield string[:length]
    yield string + b"\0"


def log_in(client: ClientLogin, server: ServerLogin) -> None:
    assert server.auth(client.auth(server.reply(client.hello()), REQUEST)) == REQUEST
    assert client.welcome(server.welcome(RESPONSE)) == RESPONSE


def welcome_without_asking(server: ServerLogin) -> bytes:
    """What an impostor sends: they do not care for the client's proof."""
    keys = keys_before_the_proof(server)
    return SealedWelcome(keys.proof(Side.SERVER, server._transcript), keys.seal.seal(RESPONSE)).build()


def keys_before_the_proof(server: ServerLogin) -> SessionKeys:
    """What ``auth`` will compute."""
    pake = copy.copy(server._pake)
    assert pake is not None
    return login_keys(Side.SERVER, pake.finish(server._message), server._transcript)


# It works


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=10, deadline=None)
@given(TEXTS, st.binary(max_size=204), st.binary(max_size=4028))
def test_who_knows_the_password_comes_in(password: str, request_json: bytes, response: bytes) -> None:
    client, server = ClientLogin(Secret(password)), ServerLogin(Secret(password))
    assert server.auth(client.auth(server.reply(client.hello()), request_json)) == request_json
    assert client.welcome(server.welcome(response)) == response


def test_strings_go_on_from_counter_one_in_both_directions() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    log_in(client, server)
    for sender, receiver in ((client.keys, server.keys), (server.keys, client.keys)):
        assert sender.seal.counter == receiver.opener.counter == 1
        for n in range(3):
            assert receiver.opener.open(sender.seal.seal(b"%d" % n)) == b"%d" % n


def test_datagrams_go_both_ways_after_the_login() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    log_in(client, server)
    for sender, receiver in ((client.keys, server.keys), (server.keys, client.keys)):
        datagram = sender.datagram_seal(77).seal(DatagramType.MEDIA, b"packet")
        assert receiver.datagram_opener().open(parse_header(datagram), datagram) == b"packet"


def test_the_servers_dear_half_waits_for_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by products of points that have no table: a HELLO makes the server compute none."""
    products: list[int] = []
    plain = ed25519_basic.Element.scalarmult

    def counted(point: ed25519_basic.Element, number: int) -> object:
        products.append(number)
        return plain(point, number)

    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    ServerLogin(PASSWORD).reply(ClientLogin(PASSWORD).hello())  # the tables are made
    hello = client.hello()
    monkeypatch.setattr(ed25519_basic.Element, "scalarmult", counted)
    reply = server.reply(hello)
    assert not products
    monkeypatch.undo()
    auth = client.auth(reply, REQUEST)
    monkeypatch.setattr(ed25519_basic.Element, "scalarmult", counted)
    server.auth(auth)
    assert len(products) == 1


def test_a_point_that_is_none_is_a_wrong_guess_when_a_proof_is_shown() -> None:
    """Or somebody could ask for the dear half again and again, and never be counted."""
    off_the_curve = (2).to_bytes(32, "little")
    server = ServerLogin(PASSWORD)
    server.reply(Hello(bytes(16), b"A" + off_the_curve).build())
    with pytest.raises(PasswordRefused):
        server.auth(record().auth)


def test_a_composed_and_a_combining_accent_are_the_same_password() -> None:
    log_in(ClientLogin(Secret("caf\u00e9")), ServerLogin(Secret("cafe\u0301")))


def test_the_protocol_is_pinned_byte_for_byte() -> None:
    """Whoever must change these strings has changed the protocol, and needs a new version."""
    recording = record()
    assert recording.hello.hex() == (
        "5643010154d33ff75358a4dc86db800885cc775541f262c246889f6c7db9facbb75798d40f647b84640d0c8c84ee8fcc1866813dc3"
    )
    assert recording.reply.hex() == ("56430102422b16ae933b99d6e516d71dcd87bdb5f96352a85c1df765c344c1246e0164098d")
    assert recording.auth.hex() == (
        "56430103be5d468352c5490cf8f500d4a635a454fcac9804712c4801729f85292dc4b3f2d9dc215304805245682e10ab"
        "502fa6d823d63cc6a11756cb01353b564a82f919f8f63f9cd8c51047a86dc8"
    )
    assert recording.welcome.hex() == (
        "564301046a99aefe3df67588895385101cff8a9f5bce22077c97536474498ba3252c96a8e55b14b712b19c68b9a74fd1"
        "0fdb6791a1fbad1cc8ed29b0401d9f21fc7a17eba7c4678ae72e4273f8c234a0"
    )


# A wrong password


def test_a_client_with_a_wrong_password_is_refused_and_gets_no_welcome() -> None:
    client, server = ClientLogin(WRONG), ServerLogin(PASSWORD)
    auth = client.auth(server.reply(client.hello()), REQUEST)
    with pytest.raises(PasswordRefused):
        server.auth(auth)
    with pytest.raises(RuntimeError):
        server.welcome(RESPONSE)
    with pytest.raises(RuntimeError):
        _ = server.keys


def test_a_server_with_a_wrong_password_is_refused() -> None:
    client, impostor = ClientLogin(PASSWORD), ServerLogin(WRONG)
    client.auth(impostor.reply(client.hello()), REQUEST)
    with pytest.raises(PasswordRefused):
        client.welcome(welcome_without_asking(impostor))
    with pytest.raises(RuntimeError):
        _ = client.keys


def test_a_hundred_guesses_in_one_segment_are_one_guess() -> None:
    client, server = ClientLogin(WRONG), ServerLogin(PASSWORD)
    hello = client.hello()
    auth = client.auth(server.reply(hello), REQUEST)
    with pytest.raises(PasswordRefused):
        server.auth(auth)
    for again in (auth, auth, hello):
        with pytest.raises(WireError):
            server.auth(again)
        with pytest.raises(WireError):
            server.reply(again)


@settings(max_examples=10, deadline=None)
@given(st.text("ab", min_size=1, max_size=4), st.text("ab", min_size=1, max_size=4))
def test_only_equal_passwords_come_in(one: str, other: str) -> None:
    client, server = ClientLogin(Secret(one)), ServerLogin(Secret(other))
    auth = client.auth(server.reply(client.hello()), REQUEST)
    if one == other:
        assert server.auth(auth) == REQUEST
    else:
        with pytest.raises(PasswordRefused):
            server.auth(auth)


# Somebody sits on the line


def test_no_damaged_hello_completes_a_login() -> None:
    """This server's REPLY is always the same, so the recorded AUTH is what the client would send."""
    recording, completed = record(), 0
    for hello in damaged(recording.hello):
        server = repeating_server()
        with contextlib.suppress(*REFUSED):
            assert server.reply(hello) == recording.reply
            server.auth(recording.auth)
            completed += 1
    assert completed == 0


def test_no_damaged_reply_completes_a_login() -> None:
    recording, completed = record(), 0
    for reply in damaged(recording.reply):
        client = repeating_client()
        client.hello()
        with contextlib.suppress(*REFUSED):
            recording.server().auth(client.auth(reply, REQUEST))
            completed += 1
    assert completed == 0


def test_no_damaged_auth_completes_a_login() -> None:
    recording = record()
    for auth in damaged(recording.auth):
        with pytest.raises(REFUSED):
            recording.server().auth(auth)
    assert recording.server().auth(recording.auth) == REQUEST


def test_no_damaged_welcome_completes_a_login() -> None:
    recording = record()
    for welcome in damaged(recording.welcome):
        with pytest.raises(REFUSED):
            recording.client().welcome(welcome)
    assert recording.client().welcome(recording.welcome) == RESPONSE


@pytest.mark.parametrize("guess", ["their-own-password", "canary-password"])
def test_a_man_in_the_middle_with_a_password_of_his_own_gets_nowhere(guess: str) -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    towards_client, towards_server = ServerLogin(Secret(guess)), ClientLogin(Secret(guess))
    with pytest.raises(PasswordRefused):
        server.auth(towards_server.auth(server.reply(towards_server.hello()), REQUEST))
    reply = towards_client.reply(client.hello())
    impostor = twin(towards_client)
    with pytest.raises(PasswordRefused):
        towards_client.auth(client.auth(reply, REQUEST))
    with pytest.raises(PasswordRefused):
        client.welcome(welcome_without_asking(impostor))


def test_a_man_in_the_middle_who_swaps_one_half_gets_nowhere() -> None:
    """They pass everything on, but put their own message into HELLO or REPLY."""
    for guess in (WRONG, PASSWORD):
        client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
        client.hello()
        auth = client.auth(server.reply(ClientLogin(guess).hello()), REQUEST)
        with pytest.raises(PasswordRefused):
            server.auth(auth)

        client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
        hello = client.hello()
        server.reply(hello)
        auth = client.auth(ServerLogin(guess).reply(hello), REQUEST)
        with pytest.raises(PasswordRefused):
            server.auth(auth)


def test_a_replayed_login_is_refused() -> None:
    recording, server = record(), ServerLogin(PASSWORD)
    assert server.reply(recording.hello) != recording.reply
    with pytest.raises(PasswordRefused):
        server.auth(recording.auth)


def test_a_message_sent_back_to_its_maker_is_refused() -> None:
    for side in (b"A", b"B"):
        client = ClientLogin(PASSWORD)
        hello = decode(client.hello())
        assert isinstance(hello, Hello)
        with pytest.raises(WireError):
            client.auth(Reply(side + hello.message[1:]).build(), REQUEST)


ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
LOW_ORDER = [0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8]
"""The y coordinates of all points of order 1, 2, 4 and 8."""
TOO_HIGH = [FIELD, FIELD + 1, FIELD + 2, 2**255 - 1]
"""Above the field's order; the first two are 0 and 1 spelt otherwise."""


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("height", LOW_ORDER + TOO_HIGH)
def test_points_of_low_order_are_refused_in_every_spelling(height: int, sign: int) -> None:
    point = (height | sign << 255).to_bytes(32, "little")
    with pytest.raises(WireError):
        ServerLogin(PASSWORD).reply(Hello(bytes(16), b"A" + point).build())
    client = ClientLogin(PASSWORD)
    client.hello()
    with pytest.raises(WireError):
        client.auth(Reply(b"B" + point).build(), REQUEST)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([b"A", b"B", b"S", b""]), st.data())
def test_any_spake2_message_is_taken_or_a_wire_error(side: bytes, data: st.DataObject) -> None:
    length = 33 - len(side)
    hello = Hello(bytes(16), side + data.draw(st.binary(min_size=length, max_size=length))).build()
    with contextlib.suppress(WireError):
        assert isinstance(decode(ServerLogin(PASSWORD).reply(hello)), Reply)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"", b"VC", b"VC\x01\x01", b"VC\x01\x02", b"VC\x01\x03", b"VC\x01\x04"]), st.binary(max_size=260)
)
def test_garbage_is_refused_in_every_step(magic: bytes, garbage: bytes) -> None:
    string = magic + garbage
    with contextlib.suppress(WireError):
        ServerLogin(PASSWORD).reply(string)
    with pytest.raises(REFUSED):
        record().server().auth(string)
    with pytest.raises(REFUSED):
        record().client().welcome(string)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([b"", b"VC\x01\x02"]), st.binary(max_size=40))
def test_garbage_for_a_reply_is_taken_for_a_point_or_refused(magic: bytes, garbage: bytes) -> None:
    client = repeating_client()
    client.hello()
    with contextlib.suppress(WireError):
        assert isinstance(decode(client.auth(magic + garbage, REQUEST)), Auth)


# Order


def test_a_hello_of_another_version_is_told_and_ends_the_login() -> None:
    hello, server = record().hello, ServerLogin(PASSWORD)
    with pytest.raises(VersionError) as caught:
        server.reply(b"VC\x02" + hello[3:])
    assert caught.value.seen == 2
    with pytest.raises(WireError):
        server.reply(hello)


def test_strings_out_of_turn_are_wire_errors() -> None:
    recording = record()
    refusal = Refuse(Reason.PASSWORD).build()
    for string in (recording.hello, recording.reply, recording.auth, recording.welcome, refusal):
        with pytest.raises(WireError):
            ServerLogin(PASSWORD).auth(string)
        with pytest.raises(WireError):
            ClientLogin(PASSWORD).auth(string, REQUEST)
        with pytest.raises(WireError):
            ClientLogin(PASSWORD).welcome(string)
        with pytest.raises(WireError):
            recording.server().reply(string)
        if string != recording.hello:
            with pytest.raises(WireError):
                ServerLogin(PASSWORD).reply(string)
        if string != recording.auth:
            with pytest.raises(WireError):
                recording.server().auth(string)
        if string != recording.welcome:
            with pytest.raises(WireError):
                recording.client().welcome(string)


def test_a_step_taken_twice_ends_the_login() -> None:
    recording = record()
    server, client = recording.server(), recording.client()
    server.auth(recording.auth)
    with pytest.raises(WireError):
        server.auth(recording.auth)
    with pytest.raises(RuntimeError):
        server.welcome(RESPONSE)
    client.welcome(recording.welcome)
    with pytest.raises(WireError):
        client.welcome(recording.welcome)
    with pytest.raises(RuntimeError):
        _ = client.keys


def test_a_second_welcome_is_refused_even_from_the_server_itself() -> None:
    recording = record()
    server, client = recording.server(), recording.client()
    client.welcome(welcome_without_asking(server))
    with pytest.raises(WireError):
        client.welcome(welcome_without_asking(server))


def test_a_failed_step_ends_the_login() -> None:
    recording = record()
    server, client = recording.server(), recording.client()
    with pytest.raises(WireError):
        server.auth(b"garbage")
    with pytest.raises(WireError):
        server.auth(recording.auth)
    with pytest.raises(WireError):
        client.welcome(b"garbage")
    with pytest.raises(WireError):
        client.welcome(recording.welcome)


def test_our_own_wrong_order_is_a_runtime_error() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    with pytest.raises(RuntimeError):
        server.welcome(RESPONSE)
    hello = client.hello()
    with pytest.raises(RuntimeError):
        client.hello()
    auth = client.auth(server.reply(hello), REQUEST)
    server.auth(auth)
    for login in (client, server):
        with pytest.raises(RuntimeError):
            _ = login.keys
    server.welcome(RESPONSE)
    with pytest.raises(RuntimeError):
        server.welcome(RESPONSE)


def test_requests_and_responses_that_do_not_fit_are_our_own_fault() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    reply = server.reply(client.hello())
    with pytest.raises(ValueError, match="205 bytes"):
        client.auth(reply, bytes(205))
    server.auth(client.auth(reply, bytes(204)))
    with pytest.raises(ValueError, match="4029 bytes"):
        server.welcome(bytes(4029))
    assert client.welcome(server.welcome(bytes(4028))) == bytes(4028)


# Nothing leaks


def shadows() -> list[bytes]:
    """The password, and what else of it would serve somebody who guesses offline."""
    secret = PASSWORD.to_bytes()
    digests = [hashlib.new(name, secret).digest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b")]
    plain = [secret, secret[:6], *(digest[:16] for digest in digests)]
    return plain + [one.hex().encode() for one in plain]


def test_two_transcripts_hold_no_password_and_no_hash_of_it() -> None:
    for _ in range(2):
        client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
        hello = client.hello()
        reply = server.reply(hello)
        auth = client.auth(reply, REQUEST)
        server.auth(auth)
        transcript = hello + reply + auth + server.welcome(RESPONSE)
        assert not any(shadow in transcript for shadow in shadows())
        assert REQUEST not in transcript
        assert RESPONSE not in transcript


def test_two_logins_share_no_byte_sequence_but_their_heads() -> None:
    first, second = Recording(), record()
    assert first.hello == second.hello, "with repeating entropy they are the same"
    one, other = ClientLogin(PASSWORD).hello(), ClientLogin(PASSWORD).hello()
    assert one[:4] == other[:4]
    assert not {one[at : at + 8] for at in range(4, 46)} & {other[at : at + 8] for at in range(4, 46)}


def failures() -> list[BaseException]:
    """One exception of every kind that a login raises, with the frames that it went through."""
    caught: list[BaseException] = []

    def attempt(step: Callable[..., object], *arguments: object) -> None:
        try:
            step(*arguments)
        except (WireError, PasswordRefused, RuntimeError, ValueError) as error:
            caught.append(error)

    hello, reply = record().hello, record().reply
    nowhere = ServerLogin(PASSWORD)
    nowhere.reply(Hello(bytes(16), b"A\x02" + bytes(31)).build())
    attempt(nowhere.auth, record().auth[:4] + bytes(32) + record().auth[36:])
    for point in (bytes(32), b"\xff" * 32):
        attempt(ServerLogin(PASSWORD).reply, Hello(bytes(16), b"A" + point).build())
    attempt(ServerLogin(PASSWORD).reply, Hello(bytes(16), b"B" + hello[-32:]).build())
    attempt(ServerLogin(PASSWORD).reply, b"garbage")
    client = repeating_client()
    attempt(client.auth, reply, REQUEST)
    client.hello()
    attempt(client.hello)
    attempt(client.auth, reply, bytes(999))
    attempt(client.auth, Reply(b"B" + hello[-32:]).build(), REQUEST)
    attempt(record().server().auth, record().auth[:4] + bytes(32) + record().auth[36:])
    attempt(record().server().auth, record().auth[:-1])
    attempt(record().client().welcome, record().welcome[:4] + bytes(32) + record().welcome[36:])
    attempt(record().client().welcome, record().welcome[:-1])
    return caught


def spellings(secret: bytes | None) -> list[str]:
    assert secret
    return [secret.hex(), repr(secret)[2:-1], repr(bytearray(secret))[12:-2]]


def test_no_traceback_shows_password_or_key_even_with_all_local_variables() -> None:
    login = record().server()
    keys = keys_before_the_proof(login)
    never = ["canary", *spellings(keys._confirm), *spellings(keys._udp_in), *spellings(keys._udp_out)]
    expected = [text for side in Side for text in spellings(keys.proof(side, login._transcript))]
    caught = failures()
    assert len(caught) == 13
    assert sum(isinstance(error, PasswordRefused) for error in caught) == 3
    for error in caught:
        assert error.__context__ is None or isinstance(error.__context__, InvalidTag), "no chain into spake2's frames"
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert "self = <voicechat.security" in shown, "the local variables are shown"
        assert not any(text in shown for text in never)
        if isinstance(error, PasswordRefused):
            assert not any(text in shown for text in expected), "a right proof, for who sent a wrong one"


def test_no_repr_shows_a_secret() -> None:
    for login in (ClientLogin(PASSWORD), ServerLogin(PASSWORD), record().server(), record().client()):
        assert "canary" not in repr(login) + str(login) + repr(login._keys)


def within_reach(start: object) -> Iterator[object]:
    """Every object that ``start`` keeps alive, code and modules left out."""
    code = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
    seen, waiting = set(), [start]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, code):
            continue
        seen.add(id(one))
        yield one
        waiting.extend(gc.get_referents(one))


def keeps_the_password(login: ClientLogin | ServerLogin) -> bool:
    return any(one in (CANARY, CANARY.encode()) for one in within_reach(login) if isinstance(one, str | bytes))


def test_the_password_is_let_go_as_soon_as_the_shared_key_exists() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    assert keeps_the_password(client)
    assert keeps_the_password(server)
    auth = client.auth(server.reply(client.hello()), REQUEST)
    assert not keeps_the_password(client)
    server.auth(auth)
    assert not keeps_the_password(server)


def test_the_password_is_let_go_after_a_failure_too() -> None:
    client, server = ClientLogin(PASSWORD), ServerLogin(PASSWORD)
    client.hello()
    for step in (lambda: client.auth(b"garbage", REQUEST), lambda: server.reply(b"garbage")):
        with pytest.raises(WireError):
            step()
    assert not keeps_the_password(client)
    assert not keeps_the_password(server)
