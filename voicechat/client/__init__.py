"""What runs on a player's PC.

cli        the command line; imports little, so that --help is there at once
lean       which libraries need not be loaded
options    THE table of options; configuration: their file
run        one run: everything made, joined, started and taken down (leaving: within a second)
service    connecting, coming back, ending with a reason (retry: when)
protocol   the TCP connection
datagrams  the UDP socket beside it
allowance  what a server may send in a second
ways       UDP or TCP, for each direction
answers    whether it still answers; outage: what to know and to tell when it does not
lookup     names looked up, without anybody waiting for it
call       one player's media and people
controls   what a player can do: mute, deafen, the key, volumes, text lines
volumes    how loud each friend is for me, remembered
estimate   how late a friend is heard
voice      what is done to our own voice before it is coded
rnnoise    strong noise suppression, the only user of its library
playback   what is heard, on the sound card's beat
echo       the echo test and its verdict
bridge     the ONE object that two threads touch
doctor     would a call work? (a command of its own; visit: its login; finding: its lines)
sound      keeps the devices going: lost, taken up again
devices    what --input and --output choose, opened as well as can be
turns      which of the cards that were opened may call; threadstate: what Python keeps of its thread
card       PortAudio's streams
portaudio  which devices there are; the only importer of pyaudio
synthetic  sound without a card: wav, tone, silence, null
friends    who is in the room
hotkey     a talk key that works in any window, on X11; the only importer of Xlib
console    lines on the terminal (lines: how they never wait for it)
screen     the terminal as a whole (view: what stands where; patient: never waited for;
           widgets: its parts); these two alone import urwid
ctl        voicechat-ctl, a program of its own that imports next to nothing; remote: what it reaches
runtime    where the two meet
exits      exit codes

May import everything but the server.
"""
