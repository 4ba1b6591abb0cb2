"""A line from a socket, in bounded time and of bounded length."""

import socket
import time


def line_of(connection: socket.socket, most: int, seconds: float) -> bytes:
    """All that comes until a line or the connection ends, or ``most`` bytes are there. TimeoutError if time is up."""
    deadline = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n") and len(line) < most:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(65_536)
        if not data:
            break
        line += data
    return line
