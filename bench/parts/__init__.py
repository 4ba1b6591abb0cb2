"""The questions that are asked, a module each; every answer is one table or more.

latency   how late a word is heard, and whether that grows
traffic   bytes and packets, at IP level
quality   PESQ-WB and STOI of what is heard
cost      CPU time and memory of clients and server
impaired  delay and quality over bad lines
startup   how long a client takes to be there
handover  whether a change between forwarding and mixing is heard
rooms     how many rooms and listeners one server carries
storm     what strangers and a hundred returning clients do to the beat
recovery  how soon a call is what it was after a kill, a standstill, a cut
coding    what one frame costs (bench.codec)
rehearsal playback in virtual time: by sound cards' periods, by lines
budget    where the delay comes from, stage by stage
"""
