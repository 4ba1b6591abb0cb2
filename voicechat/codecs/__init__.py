"""Codecs behind ``ICodec``: frames to payloads and back.

opus        libopus through opuslib; the only module that imports opuslib
enhancing   which models a libopus has for what is decoded

May import ``voicechat.interfaces``, the sound format, the errors and numpy. Never
imports Twisted and knows nothing of packets, streams or rooms. A codec for tests,
without libopus, is ``voicechat.testing.MemoryCodec``.
"""
