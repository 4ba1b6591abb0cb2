"""The connection to a server, made and made again.

reconnecting  connecting, coming back by itself, ending with a reason (retry: when;
              outage: what the player is told meanwhile; reasons: the words; target: what it is given)
protocol      the TCP connection (allowance: what a server may send; answers: whether it does)
datagrams     the UDP socket beside it
lookup        names, looked up without anybody waiting for it

May import what lies below the client. Knows no sound card and no terminal.
"""
