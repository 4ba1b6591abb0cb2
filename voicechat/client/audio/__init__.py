"""Sound between the card and the call.

bridge      the ONE object that two threads touch: the sound device's and the reactor's. Its parts:
            capture (blocks to frames of talk), playout (blocks that are ready), beat (when the device calls next),
            processing (stages that change sound before the gate, taps that see it)
devices     what --input and --output choose, opened as well as can be
supervisor  keeps the devices going: lost, taken up again (jobs: what blocks, in threads, given up if it hangs)
handover    which of the cards that were opened may call; threadstate: what Python keeps of its thread
card        PortAudio's streams
portaudio   which devices there are; the only importer of pyaudio
synthetic   sound without a card: tone, silence, null; wav: files played and recorded

May import what lies below the client. Knows no connection, no room and no terminal. What
runs on the device's thread takes no lock, logs nothing and calls no codec.
"""
