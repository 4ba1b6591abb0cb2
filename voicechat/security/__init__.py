"""Who may come in, and what keeps strangers from listening.

secret   a password that does not show itself, and a generator of good ones
login    both sides prove that they know the password (SPAKE2): four strings
comb     the points that SPAKE2 multiplies in every login, with tables, for a server
resume   coming back with a ticket: two strings
tickets  the server's tickets, in memory, each good once
keys     from a shared secret to the keys of a session
seal     sealing and opening of strings (TCP) and datagrams (UDP)
replay   which datagrams were seen already
proof    two programs of one user show each other that they hold the same key

Pure: bytes in, bytes out, time as an argument, no socket, no log. The only package
that imports spake2 and cryptography. May import wire and below. Whatever comes from
the other side ends in a value, in PasswordRefused or in WireError, and no key, proof
or password is ever part of a repr or of an exception.
"""
