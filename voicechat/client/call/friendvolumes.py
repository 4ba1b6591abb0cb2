"""How loud each friend is for the player: found by name, applied to what is heard, remembered.

A mix is made by the server, so it is sent each volume; what is forwarded we make louder or softer ourselves.
"""

from typing import Final

from twisted.internet.interfaces import IReactorTime

from voicechat.carriage.clock import Timer
from voicechat.client.call.call import Call
from voicechat.client.call.volumes import LOUDEST_DB, SOFTEST_DB, Volumes
from voicechat.errors import ConfigError, ControlError
from voicechat.media.levels import gain_of
from voicechat.wire import messages, shown, text

SAVE_AFTER: Final = 2.0
"""Seconds after the last change of a volume until it is written: a key that is held writes once."""


class FriendVolumes:
    """The volumes of one call's friends; ``kept`` remembers them."""

    def __init__(self, clock: IReactorTime, call: Call, kept: Volumes) -> None:
        self._call = call
        self.kept = kept
        self._saving = Timer(clock, self._save)

    def set(self, name: str, db: float | None) -> None:
        """Make a friend louder or softer, by ``db`` in SOFTEST_DB..LOUDEST_DB; None mutes them.

        They are found by their name, whatever its case, and need not be here if a volume of theirs is remembered.
        """
        if db is not None and not SOFTEST_DB <= db <= LOUDEST_DB:
            raise ControlError(f"a volume is {SOFTEST_DB:.0f} to {LOUDEST_DB:+.0f} dB")
        known = self._known(name)
        self.kept.set(known, db)
        self._saving.start(SAVE_AFTER)
        for person in self._call.friends.people:
            if person.name == known:
                self.apply(person)

    def changed(self) -> dict[str, float | None]:
        """The friends whose volume is not 0 dB, here or not; None: muted."""
        return {name: db for name, db in self.kept.items() if db != 0}

    def apply(self, person: messages.Participant) -> None:
        """Send the server what its mixes need, and set what is forwarded, if a volume was ever chosen."""
        if person.name in self.kept:
            db = self.kept.get(person.name)
            gain = 0.0 if db is None else gain_of(db)
            self._call.hearing.set_gain(person.source, gain)
            self._call.send(messages.Gain(person.source, gain))

    def stop(self) -> None:
        """The call is over: what was changed is written."""
        if self._saving.runs:
            self._saving.stop()
            self._save()

    def _save(self) -> None:
        try:
            self.kept.save()
        except ConfigError as error:
            self._call.chat.notify(str(error))

    def _known(self, name: str) -> str:
        here = [person.name for person in self._call.friends.people]
        names = dict.fromkeys(here + [known for known, _ in self.kept.items()])
        if name in names:
            return name
        alike = [known for known in names if text.likeness(known) == text.likeness(name)]
        if len(alike) == 1:
            return alike[0]
        named = ", ".join(map(shown.named, here))
        raise ControlError(f"nobody is called {shown.quoted(name)}; here: {named or 'nobody'}")
