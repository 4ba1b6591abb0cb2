"""What runs at the host: ``twistd voicechat``.

tap        options and makeService (twistd: what its own options would be told with a traceback)
service    signals, goodbye (supervision: what systemd is told; terminal: is our window closed?)
listening  the ways in: by --port and by --listen (ports: how each port is opened)
protocol   a TCP connection: before login a visitor, then a participant's peer
admission  the door: time limits, the queue of logins, bans
hub        seats and rooms (greeting: what who enters is sent; yielding: which seat goes to whom on a full server)
live_room  one room's people and its conference
ticker     the 20 ms beat, while somebody must be mixed for
guard      coders whose faults cost one frame
limits     every figure
metrics    counters and gauges (census: what the hub knows of them)
health     figures and health over HTTP (exposition: the metrics as Prometheus reads them)
eventlog   sentences for the host, of which a stranger causes few
log        written without being waited for; sinks: where to

Never imports PortAudio or the client.
"""
