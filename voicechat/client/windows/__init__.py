"""What only Windows has: its console, its raw input, its words for errors.

system    its libraries, by ctypes; words for errors
console   Ctrl-C, Ctrl-Break, and the closing of the window
talkkey   a talk key that works while another window has the keyboard
rawinput  what a keyboard or a mouse did, from bytes: pure
keynames  the talk key's names: pure

Each module can be imported anywhere, so that what is pure in it is tested anywhere. Knows nothing of the client: who
needs one of these asks ``sys.platform`` and imports it there.
"""
