"""The same server as ``twistd voicechat``, for ``twistd -ny tac/voicechat.tac``.

Its options come from the environment alone (``VOICECHAT_PASSWORD``, ``VOICECHAT_PORT`` and
so on), its log from twistd's own; everything else is decided in ``voicechat.server.tap``, nothing here.
"""

from contextlib import suppress

from twisted.application.service import Application
from twisted.python.usage import UsageError
from twisted.scripts.twistd import ServerOptions

from voicechat.server.tap import Options, makeService

options = Options()
options.parent = ServerOptions()
with suppress(UsageError):  # what is not twistd's command line belongs to a program that loads this file by itself
    options.parent.parseOptions()
options.parseOptions([])

application = Application("voicechat")
makeService(options).setServiceParent(application)
