"""What runs on a player's PC.

cli            the command line; imports little, so that --help is there at once
run            one run: everything made, joined, started and taken down (leaving: within a second)
doctor         would a call work? A command of its own (visit: a real login; finding: what a check found)
ui             the faces: lines, the screen, a global talk key
remote         voicechat-ctl, and what it reaches
call           one player's media, people and controls
network        connecting, coming back, the TCP and UDP ends
audio          the sound devices, and the bridge to them
options        THE table of options; configuration: their file
identity       who the user is to friends
lean, exits    which libraries need not be loaded; exit codes
windows        what only Windows has: its console, its raw input, its words for errors

May import everything but the server. Each of these imports only what stands below it.
"""
