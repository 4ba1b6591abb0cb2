"""Who may say what when: one connection's life, without the connection.

states  THE tables: what each side may receive in each state
server  ServerSession: strings in, values out, strings to send made
client  ClientSession: the same from the other end
bucket  how much may pass, on average and at once
outbox  what waits to be sent to one peer, bounded by count and by age

Pure: no socket, thread, clock or log. A string that the table does not allow is
a WireError, and after it the session is CLOSED: strings that were already
buffered behind it are refused too.
"""
