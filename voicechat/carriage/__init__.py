"""How packets travel between two ends: the Twisted shells that server and client share.

tcp        one connection: sealed strings, an outbox, heartbeats
datagrams  sealed datagrams beside it, and which of the two media takes

A carriage knows nothing of rooms, sound or people. It may import session and
below, and Twisted; it holds no policy but when to drop, to wait and to give up.
"""
