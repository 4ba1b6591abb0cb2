"""A running client told what to do, from a key of the desktop or from a script.

ctl      voicechat-ctl, a program of its own that imports next to nothing
socket   what it reaches: commands and their answers, on the running client's side
doors    how that side is open: a local socket, or a port with a proof
words    what can be said: data; program: the same for shells and the reference
meeting  where the two meet, the one place that knows which way: runtime, the folder of the sockets;
         loopback, a port of this machine (Windows); names: of their files; lines: read in bounded time

May import ``call`` and what lies below it, and not the faces in ``ui``; ``ctl``, ``words``, ``meeting``
and its parts import neither, since a key is waited for.
"""
