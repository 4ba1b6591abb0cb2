"""The faces of a call: what a player sees, and the keys that they press.

line     lines on a terminal or in a pipe (lines: how they never wait for it)
screen   the terminal as a whole (view: what stands where; keys: what each does; widgets: its parts;
         display: its size; patient: it is never waited for); these import urwid
talkkey  a talk key that works in any window: which way there is here
hotkey   the same on X11; the only importer of Xlib

May import ``call`` and what lies below it. Decides nothing about a call: it shows the
status of the controls, and calls them.
"""
