"""The router's port: asked for, kept, taken back.

`wire` has the bytes of PCP and NAT-PMP, `talk` who says what next, both without a socket; `gateway` finds the router,
`upnp` asks by UPnP in a thread, `keeper` does it all for a server that runs, `verdict` says what came of it, `memory`
remembers what is to be taken back, and `choice` whether the host wants it. Nothing here is imported unless it is asked
for. A router is believed a few numbers, and nothing else.
"""
