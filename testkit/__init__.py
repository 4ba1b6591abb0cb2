"""What tests, bench and demo share: real programs started, heard, hindered and ended.

processes  children and their ends; children: a server and clients for a test
terminal   a program on a terminal, and what it shows
stage      a server and guests in a call (relay: a network between them that can be broken)
flood      what strangers can throw at a port, as a program of its own
rig        a private sound system (loopback: a program that copies microphone to loudspeaker)

May import ``voicechat``. Never imports ``tests``, ``bench`` or ``demo``.
"""
