"""voicechat: self-hosted, low-latency voice chat for 2-4 friends in a game. See docs/architecture.md."""

import os

__version__ = "0.1.0"
"""Of the package; setup.cfg takes it from here."""

# Before numpy is imported: our products are tiny, and idle BLAS threads spin (measured: 113 s of a test became 35 s).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
