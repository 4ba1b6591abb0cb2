"""Resuming a session with a ticket: two strings, no PAKE, new keys.

May import the tickets, the keys and ``wire.handshake``. Strings in, strings out;
no socket, no clock. The JSON inside is the caller's affair.

::

    client                                                server
    resume()           RESUME   id, nonce, HMAC     ->    TicketBook.redeem(decode(string), now)
                                                          ServerResume(ticket, resume)
    resumed(string)    <- RESUMED  nonce, Ts, sealed      resumed(response)
      -> response

The HMAC under the ticket's secret is the client's proof. T = RESUME | the
server's nonce; both nonces are in it, so the keys are new each time even if one
side's random numbers are not. Ts = HMAC(confirm, "server" | T) is the server's
proof, checked before the response is believed. The response is what counter 0 of
the server's direction seals; the client has sealed nothing yet, so its first
string is counter 0.

A RESUME may be a replay: the server answers it, and that means nothing. Its own
nonce makes other keys each time, and only who opens the answer can seal a string
under them. That string, not the RESUME, is what brings a client back.

A ticket has no forward secrecy: who takes its secret out of a process' memory can
read the one session that is made from it. That session brings the next ticket.
"""

import secrets

from voicechat.errors import WireError
from voicechat.security.keys import SessionKeys, Side, resume_keys
from voicechat.security.tickets import Ticket, resume_with
from voicechat.wire.handshake import MAX_RESPONSE, NONCE_BYTES, Resume, Resumed, decode


class ClientResume:
    """The client's half: ``resume``, ``resumed``, then ``keys``."""

    __slots__ = ("_keys", "_resume", "_ticket")

    def __init__(self, ticket: Ticket) -> None:
        self._ticket: Ticket | None = ticket
        self._resume = resume_with(ticket).build()
        self._keys: SessionKeys | None = None

    def resume(self) -> bytes:
        """The RESUME to send."""
        return self._resume

    def resumed(self, string: bytes) -> bytes:
        """The response in the server's RESUMED.

        WireError for anything else, also when the server did not prove that it
        knows the ticket; the client then logs in with the password.
        """
        ticket, self._ticket = self._ticket, None
        parsed = decode(string)
        if ticket is None or not isinstance(parsed, Resumed):
            raise WireError("a handshake string out of turn")
        transcript = self._resume + parsed.nonce
        keys = resume_keys(Side.CLIENT, ticket.secret, transcript)
        if not keys.proves(Side.SERVER, transcript, parsed.proof):
            raise WireError("the server did not prove that it knows the ticket")
        response = keys.opener.open(parsed.sealed)
        self._keys = keys
        return response

    @property
    def keys(self) -> SessionKeys:
        """The new session's keys; RuntimeError before ``resumed`` has returned."""
        if self._keys is None:
            raise RuntimeError("the session is not resumed")
        return self._keys


class ServerResume:
    """The server's half, made from what ``TicketBook.redeem`` gave: ``resumed``, then ``keys``."""

    __slots__ = ("_nonce", "_transcript", "keys")

    def __init__(self, ticket: Ticket, resume: Resume) -> None:
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._transcript = resume.build() + self._nonce
        self.keys = resume_keys(Side.SERVER, ticket.secret, self._transcript)
        """The new session's keys, for use after ``resumed``."""

    def resumed(self, response: bytes) -> bytes:
        """The RESUMED to send, once, around ``response`` (at most 4 028 bytes, else ValueError)."""
        if len(response) > MAX_RESPONSE:
            raise ValueError(f"response of {len(response)} bytes, at most {MAX_RESPONSE} fit")
        if self.keys.seal.counter:
            raise RuntimeError("resumed() twice, or after the session began")
        proof = self.keys.proof(Side.SERVER, self._transcript)
        return Resumed(self._nonce, proof, self.keys.seal.seal(response)).build()
