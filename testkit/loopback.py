"""A program that copies the default microphone to the default loudspeaker, block by block, until it is ended.

No network and no codec: what it needs from mouth to ear is the rig's own floor
under every delay that is measured on it. It does what the client's sound device
does (one full-duplex callback of a block), without any of the client's code.
"""

import signal
from collections.abc import Mapping

import pyaudio

from voicechat.format import BLOCK_SAMPLES, SAMPLE_RATE


def copied(block: bytes | None, _samples: int, _time: Mapping[str, float], _status: int) -> tuple[bytes | None, int]:
    return block, pyaudio.paContinue


def main() -> None:
    sound = pyaudio.PyAudio()
    stream = sound.open(
        rate=SAMPLE_RATE,
        channels=1,
        format=pyaudio.paInt16,
        input=True,
        output=True,
        frames_per_buffer=BLOCK_SAMPLES,
        stream_callback=copied,
    )
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    stream.close()
    sound.terminate()


if __name__ == "__main__":
    # Blocked before any thread starts, so that the signal comes to sigwait alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
