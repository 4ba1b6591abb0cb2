"""Builds what goes out: source, wheels, the Windows zip and their sums, the same bytes each time.

How it is made, in the order of the modules:

    checkout    the last commit's files and date, in a folder of their own: what goes out is what is committed
    own         our source distribution and our wheel, by a pinned setuptools
    pyaudio     PyAudio for Debian 12's Python, with PortAudio linked in: a friend there needs no compiler
    everything  these and the Windows zip (winpack), one after another; SHA256SUMS

Two builds of one commit give the same bytes, whatever the folder, the umask, the time zone and the language.
"""
