"""What voicechat costs and how it sounds, measured: ``python -m bench`` (``make bench``).

What lives here: ``rig`` (a call on real sound and a real or impaired line, and what
became of it), ``calls`` (which calls are held), ``crowd`` and ``watched`` (many cheap
clients, and a server that notes when its ticks came), ``parts`` (one table or more
for each question), ``report`` (tables into docs/performance.md), ``__main__`` (the
command). May import everything; nothing that ships imports it. It prints figures and
asserts nothing: what is reached is for people to judge.

CPU time is compared only within one run: the same work costs up to twice as much on
an idle machine (cold caches) or a shared one, so a bare loop through PyAudio runs
beside every call and stands beside every figure.
"""
