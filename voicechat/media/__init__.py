"""The media core: what happens to frames and payloads between two edges.

serial      arithmetic on ticks that wrap
seen        which ticks have arrived already
packet      one packet as a value
counts      what became of frames
jitter      slots by tick: order out of disorder
playout     how late to play so that (almost) nothing comes too late
sending     one talker's way out (SendStream)
stream      one talker's way in (ReceiveStream)
arrivals    which frames of it have come
spurt       where it is in a talk spurt, and the decision what to do next
rendering   what was decided, carried out: payloads to frames
repair      what a frame that came too late is still good for
timescale   a frame more or less, where it is heard least
gains       how loud each source is for one listener
changeover  from forwarded packets to the mix and back, at the same word
hearing     all streams that one listener hears, made one frame
quality     how many bits, how many frames a packet: each client's choice
packing     frames made packets: with redundancy, or two at a time
redundancy  which earlier frame a packet carries again
gate        does the microphone carry talk?
suppression less steady noise around a voice
loudness    a talker as loud as the others
echo_detector  whose microphone returns my voice
echo        my own microphone does not return theirs: the canceller
echo_filter    what the loudspeaker sends into the microphone, learnt
echo_residual  how much of it the filter leaves
echo_suppressor  the rest made too soft to be heard
echo_watch  whether there is an echo at all
levels      loudness, fades
mixer       gains @ frames, and the limiter
forwarding  for each listener: silence, one talker's packets, or a mix
ticks       how many ticks are due
tuning      the numbers that were chosen by measuring

Pure: numpy and values only. No socket, thread, clock, codec or log is imported
here; time comes as an argument, in *ticks* (20 ms), fractions allowed where a
packet's arrival is meant.
"""
