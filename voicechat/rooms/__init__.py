"""The domain: who is together, and what each of them hears.

room        participants, their numbers and names, gains
conference  the media of one room: arrivals in, deliveries out, one tick at a time
listener    one who listens: what they are sent, and how it changes over
talker      one who talks: their packets as they go on, their frames for a mix
echo        a conference of one, who hears their own voice a second later
mixing      the mixed rows: grouping equal ones, one encoder a distinct row
directory   rooms by name, made and dropped

Pure, with numpy: time comes in ticks, packets come and go as values. May import
wire, media and the interfaces; never a socket, clock, thread or log.
"""
