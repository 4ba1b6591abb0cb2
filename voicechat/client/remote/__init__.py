"""A running client told what to do, from a key of the desktop or from a script.

ctl      voicechat-ctl, a program of its own that imports next to nothing
socket   what it reaches: commands and their answers, on the running client's side
words    what can be said: data
runtime  where the two meet: the folder of the sockets

May import ``call`` and what lies below it, and not the faces in ``ui``; ``ctl``,
``words`` and ``runtime`` import neither, since a key is waited for.
"""
