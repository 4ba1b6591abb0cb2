"""``python -m tests.router.moody``: a router of ours on port 5351 that says what real ones seldom do."""

import argparse
import random
import socket

from tests.server.router.routers import FakeRouter
from voicechat import standard

parser = argparse.ArgumentParser()
parser.add_argument("--address", default="8.9.10.11")
parser.add_argument("--no-pcp", action="store_true")
parser.add_argument("--result", type=int, default=0)
parser.add_argument("--lease", type=int, default=3600)
parser.add_argument("--garbage", action="store_true", help="many datagrams of nonsense for each request")
parser.add_argument("--silent", action="store_true")


def main() -> None:
    chosen = parser.parse_args()
    router = FakeRouter(chosen.address, pcp=not chosen.no_pcp)
    router.result, router.lease, router.silent = chosen.result, chosen.lease, chosen.silent
    chance = random.Random(1)
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", 5351))
        standard.write("ready\n")
        while True:
            data, peer = sock.recvfrom(2048)
            for _ in range(1000 if chosen.garbage else 0):
                sock.sendto(chance.randbytes(chance.randrange(1500)), peer)
            for answer in router.answers(data):
                sock.sendto(answer, peer)
            standard.write(f"open: {sorted(router.ports.items())}\n")


if __name__ == "__main__":
    main()
