"""Bytes <-> values: the only package that knows layouts.

handshake   the strings before login, in the clear
media       media packets
control     control packets: a kind byte and a JSON object
messages    the control messages as typed values
datagrams   the header of a sealed datagram
text        what a name, a room or a text line may be

After login every TCP string and every media datagram is one sealed *packet*. A
packet's first byte tells what it is: below 0x80 media, from 0x80 on control.
Every parser returns a value or raises WireError, never anything else. May import
media and below; never a socket, clock, thread or log. The normative text is
docs/wire-protocol.md.
"""
