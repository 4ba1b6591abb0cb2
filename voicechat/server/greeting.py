"""What somebody who has a seat is sent first: the welcome, and of a full room the people who do not fit into it."""

from collections.abc import Iterator
from typing import Final

import msgspec

from voicechat.rooms.echo import EchoConference
from voicechat.security.tickets import Ticket
from voicechat.server.seat import Seat
from voicechat.wire.messages import CAPABILITIES, RTC, Joined, TicketText, Welcome

NAMED_IN_WELCOME: Final = 12
"""Participants in a welcome, so that it fits into 4 096 bytes whatever they are called; more follow as joined messages.
"""


def welcome(seat: Seat, connection: int, ticket: Ticket, udp_port: int, bitrate: int) -> Welcome:
    """The welcome to a seat, over the connection of this number, with the ticket that brings it back."""
    conference = seat.live_room.conference
    return Welcome(
        seat.source,
        seat.member.called(letters=seat.letters),
        seat.live_room.name,
        connection,
        conference.room.roster(seat.source, letters=seat.letters)[:NAMED_IN_WELCOME],
        udp_port,
        bitrate,
        TicketText(*ticket.to_hex()),
        conference.echo if isinstance(conference, EchoConference) else 0,
        seat.member.quality,
        CAPABILITIES,
    )


def others(seat: Seat) -> Iterator[Joined]:
    """Those who did not fit into the welcome."""
    room = seat.live_room.conference.room
    return map(Joined, room.roster(seat.source, letters=seat.letters)[NAMED_IN_WELCOME:])


def with_offers(welcome: Welcome) -> Welcome:
    """The welcome of a server that takes offers of browsers."""
    return msgspec.structs.replace(welcome, capabilities=(*welcome.capabilities, RTC))
