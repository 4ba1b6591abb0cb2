"""How packets travel between two ends: one connection, and the carriages that it may have.

peer        ONE connection, sans-IO, the same at both ends and over every carriage
            (events: what happens in it; heartbeat; channel: the datagrams beside it)
connection  a peer on a clock: what carriages feed, and what server and client speak to
tcp         strings over TCP: framing, back-pressure, socket options
websocket   strings as messages of a WebSocket, for browsers (http: the request that begins it)
udp         sockets for datagrams, and what each system makes of them (filter: in the kernel)
clock       the reactor made monotonic, and a timer

peer, events, heartbeat and channel are pure: no Twisted, no socket, no clock. A further
carriage is a file like tcp. A carriage knows nothing of rooms, sound or people. It may
import session and below; it holds no policy but when to drop, to wait and to give up.
"""
