"""What only Windows has: its console, its raw input, its words for errors.

system    its libraries, by ctypes; words for errors
console   Ctrl-C, Ctrl-Break, and the closing of the window

Each module can be imported anywhere, so that what is pure in it is tested anywhere. Knows nothing of the client: who
needs one of these asks ``sys.platform`` and imports it there.
"""
