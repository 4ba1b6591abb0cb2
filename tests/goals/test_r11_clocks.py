"""R11, R15: sound cards that run too fast and too slow for a day, and wall clocks that are set.

That talk without many pauses does not drive the delay is shown in tests/conversations.
Here it is what is said now and then in a long evening: little to learn a clock from, and
much time in which it drifts.
"""

import itertools
import time
from pathlib import Path

import pytest

from testkit.stage import LOW, stage
from tests.conftest import SOAK
from tests.conversations.simulation import GOOD, MINUTE, Conversation
from voicechat.format import TICK_MS, TICKS_PER_SECOND

HOURS = 24 if SOAK else 1

TURN = 40 * TICKS_PER_SECOND
SPURT = 2 * TICKS_PER_SECOND

SETTLED = TICKS_PER_SECOND
"""Ticks of a spurt until its pre-roll was caught up with and its delay is what it stays."""


def takes_turns(tick: int, member: int) -> bool:
    """Ann says something each forty seconds, Ben twenty seconds later."""
    return (tick + (member - 1) * TURN // 2) % TURN < SPURT


@pytest.mark.parametrize("always_mix", [False, True], ids=["forwarded", "mixed"])
def test_r11_a_day_of_clocks_that_disagree_leaves_the_delay_where_it_was(*, always_mix: bool) -> None:
    hours = HOURS if SOAK or not always_mix else 0.25
    talk = Conversation(2, takes_turns, up=GOOD, down=GOOD, ppm=(200.0, -200.0), always_mix=always_mix)
    talk.run(MINUTE * 60 * hours)
    for listener, talker in ((2, 1), (1, 2)):
        heard = talk.members[listener].heard[talker]
        into = [(tick + (talker - 1) * TURN // 2) % TURN for tick in heard.ticks]
        settled = [delay for (_, delay), at in zip(heard.delays, into, strict=True) if SETTLED <= at < SPURT]
        assert len(settled) > 0.9 * 60 * 60 * hours * TICKS_PER_SECOND * (SPURT - SETTLED) / TURN
        middle = (max(settled) + min(settled)) / 2
        assert (max(settled) - middle) * TICK_MS <= (25 if always_mix else 20), "a mix passes two buffers"
        slips = sum(
            later != sooner + 1
            for (sooner, at), (later, _) in itertools.pairwise(zip(heard.ticks, into, strict=True))
            if SETTLED <= at < SPURT - 1
        )
        assert slips <= 3600 * hours / 50, "no more than 400 ppm make, a frame each 50 s"


MEDDLING = """
import itertools, time
real, hours = time.time, itertools.cycle((1, -1, 0))
time.time = lambda: real() + 3600 * next(hours)
"""
"""A sitecustomize that sets the wall clock by an hour each time it is looked at."""


def test_r15_setting_the_wall_clock_by_an_hour_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(MEDDLING)
    with stage(tmp_path) as held:
        server = held.server("--mixing", "always", PYTHONPATH=str(tmp_path))
        real, hours = time.time, itertools.cycle((1, -1, 0))  # noqa: TID251  it is what is being set
        monkeypatch.setattr(time, "time", lambda: real() + 3600 * next(hours))
        ann, ben = held.guest("Ann", server.port), held.guest("Ben", server.port)
        held.all_in()
        ann.tone = LOW
        held.until(lambda: ben.hears(LOW, 0.0), "Ben hears Ann, mixed")
        start = held.now
        held.run(2.0)
        assert ben.longest_gap(LOW, start) < 0.5, "the beat goes on"
        assert [guest.call.reconnects for guest in held.guests] == [0, 0]
        assert len({line[11:13] for line in server.program.out.splitlines()}) > 1, "the server saw it"
