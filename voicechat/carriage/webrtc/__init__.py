"""Media of browsers over UDP: WebRTC without signalling, on the port of all other datagrams.

stun     who may come: binding requests of ICE, and the answer to a good one
rtp      frames as RTP: a talker's upwards, and one stream of all that a listener hears downwards
channel  one browser's path, in the place of a `UdpChannel`: whom it may come from, keys, and whether it works

The sealing, DTLS and SRTP, is `voicechat.security.dtls`. All of it is sans-IO, and imported when
the first browser makes an offer.
"""
