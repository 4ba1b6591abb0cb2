"""What makes ``twistd voicechat`` known: one plugin, as data.

``twistd`` imports this file to list its commands, even when another one is run,
so nothing but the marker below may be imported here. There is no ``__init__.py``
in this folder or the one above it: with one, it would hide Twisted itself.
"""

from twisted.application.service import ServiceMaker

voicechat = ServiceMaker(
    "voicechat",
    "voicechat.server.tap",
    "A low-latency voice chat server for a few friends.",
    "voicechat",
)
