"""One player's call: who is there, what is said and heard, and what the player can do to it.

call      joins the parts of one client's call: friends (who is in the room), uplink (from captured frames to packets),
          playback (what is heard, on the sound card's beat), chat (text lines, and lines for the player), ways (which
          way sound takes, in each direction), measured (what connections found out), figures (what --stats writes)
controls  what a player can do: mute, deafen and the key (transmit: their tables), volumes (friendvolumes: found and
          applied; volumes: remembered), text lines
status    how things stand, as one value (estimate: delays)
voice     what is done to our own voice before it is coded (rnnoise: the only user of its library)
echotest  the echo test and its verdict

May import ``network``, ``audio`` and what lies below them. Knows no terminal, socket or card.
"""
