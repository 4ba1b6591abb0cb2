"""What Python knows of a thread that is not its own, kept from one call to the next.

A C library's thread that calls a Python function gets a thread state for that call and
loses it afterwards: memory is mapped, faulted in and unmapped again each time. PortAudio
calls once a block, and there that is 0.4 to 0.7 s of CPU time a minute, as much as all that
the client does in a silent room (measured; a bare loop through PyAudio has it, too).

Of CPython's C interface this is documented: ``PyGILState_Ensure`` may be nested, and the
state lives until the last ``PyGILState_Release``. Knows nothing of sound.
"""

import ctypes
import threading
from typing import Final

_HELD: Final = 0
"""PyGILState_LOCKED, what ``PyGILState_Ensure`` answers to a thread that runs Python already."""


class ThreadState(threading.local):
    """The calling thread's state. What is said of it is kept in the state itself, and gone with it."""

    kept = False

    def keep(self) -> None:
        """Keep it when this call returns, until a later one on the same thread has called `let_go`."""
        if not self.kept:
            ctypes.pythonapi.PyGILState_Ensure()
            self.kept = True

    def let_go(self) -> bool:
        """End `keep`; whether there was one. Who does not, before their thread ends, leaves some KB behind."""
        kept, self.kept = self.kept, False
        if kept:
            ctypes.pythonapi.PyGILState_Release(_HELD)
        return kept
