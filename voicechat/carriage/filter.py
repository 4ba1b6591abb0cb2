"""A filter of datagrams in the kernel: what cannot be one of ours never wakes us.

A stranger who has the port number sends as many datagrams as a core can make, and each
cost a call into Python before it was seen to be none of ours. Linux takes a small program
that judges a datagram by its length and its first byte before it is put into the socket's
queue (SO_ATTACH_FILTER: socket(7), and *Linux Socket Filtering* in the kernel's
documentation; classic BPF: McCanne and Jacobson, USENIX 1993). ``program`` writes it from
``wire.datagrams.SHAPES``. What passes is as untrusted as ever; where there is no filter,
the same datagrams are refused by whoever reads them.

At a UDP socket the program sees the datagram from its UDP header on: eight bytes, then ours.
"""

import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from voicechat.wire.datagrams import SHAPES, Shape

UDP_HEADER: Final = 8
"""Bytes before ours (RFC 768)."""

# Of linux/filter.h; K: a number in the instruction.
LOAD_BYTE: Final = 0x30
"""Accumulator = the byte at K; a datagram that has none there is refused."""
LOAD_LENGTH: Final = 0x80
"""Accumulator = the length."""
JUMP_AT_LEAST: Final = 0x35
"""Skip `yes` instructions if the accumulator is K or more, else `no`."""
JUMP_ABOVE: Final = 0x25
"""Skip `yes` instructions if the accumulator is more than K, else `no`."""
RETURN: Final = 0x06
"""The end: pass on at most K bytes. 0 refuses the datagram."""

PASS: Final = 0xFFFFFFFF
REFUSE: Final = 0

_ATTACH_FILTER: Final = 26
"""SO_ATTACH_FILTER of Linux (asm-generic/socket.h), which Python's socket module does not name."""


class Instruction(NamedTuple):
    """One instruction of classic BPF."""

    code: int
    yes: int
    no: int
    k: int


def program(shapes: Sequence[Shape] = SHAPES) -> list[Instruction]:
    """The instructions that pass what has one of the shapes, and refuse the rest."""
    instructions = []
    for shape in shapes:
        instructions += [
            Instruction(LOAD_BYTE, 0, 0, UDP_HEADER),
            Instruction(JUMP_AT_LEAST, 0, 6, shape.first),  # below: on to the next shape
            Instruction(JUMP_ABOVE, 5, 0, shape.last),
            Instruction(LOAD_LENGTH, 0, 0, 0),
            Instruction(JUMP_AT_LEAST, 0, 2, UDP_HEADER + shape.shortest),
            Instruction(JUMP_ABOVE, 1, 0, UDP_HEADER + shape.longest),
            Instruction(RETURN, 0, 0, PASS),
            Instruction(RETURN, 0, 0, REFUSE),
        ]
    return [*instructions, Instruction(RETURN, 0, 0, REFUSE)]


def attach(sock: Any, shapes: Sequence[Shape] = SHAPES) -> bool:
    """Have the kernel refuse what has none of the shapes; False where it cannot.

    To be called before the socket is bound: what is queued already is not judged.
    """
    if sys.platform != "linux":
        return False
    import ctypes  # not needed elsewhere

    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program(shapes))
    kept = ctypes.create_string_buffer(code, len(code))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("@HP", len(code) // 8, ctypes.addressof(kept)))
    except OSError:  # not every kernel, container or emulation has it
        return False
    return True
