"""The measuring rig: a call between parties who each have a sound card and a network line of their own.

speech     what is said
network    a namespace for each party, links that count bytes (relay: and delay, jitter, lose)
procstat   what a process costs
listening  what was heard, against what was said, on one clock
stage      a server and clients in their places, measured phase by phase

The private sound system itself is ``testkit.rig``, which needs no root; the
namespaces do.
"""
