"""The page's gate and playout delay follow the rules of the media core: both are given the same, and say the same."""

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from voicechat.media.gate import GateMode, TalkGate
from voicechat.media.playout import PlayoutDelay
from voicechat.media.tuning import TUNING

ROOT = Path(__file__).parents[2]
START, MARGIN = 0.35, 0.3
"""The page's own: its frames have more hops between threads than the client's."""


def in_page(case: dict[str, Any]) -> dict[str, Any]:
    node = shutil.which("node")
    assert node
    script = str(ROOT / "tests" / "web" / "rules.js")
    done = subprocess.run([node, script], input=json.dumps(case), check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def frames(dice: random.Random) -> list[tuple[float, str]]:
    """40 s of a room: noise that changes, talk, clicks, and the key of somebody who tries all modes."""
    told: list[tuple[float, str]] = []
    noise, mode = 1e-6, "voice"
    while len(told) < 2000:
        if dice.random() < 0.1:
            noise = 10 ** dice.uniform(-7, -4)
        if dice.random() < 0.15:
            mode = dice.choice(["voice", "voice", "open", "shut", "muted"])
        kind, length = dice.choice(["noise", "talk", "click", "nothing"]), dice.randrange(1, 60)
        for at in range(length):
            level = {
                "noise": noise * dice.uniform(0.5, 2),
                "talk": noise * 10 ** dice.uniform(0, 3),
                "click": noise * 1000 / 10**at,
                "nothing": 0.0,
            }[kind]
            told.append((min(1.0, level), mode))
    return told


def arrivals(dice: random.Random) -> list[tuple[int, float, bool, bool]]:
    """Spurts over a connection that jitters, stands still and gets longer, with clocks that drift."""
    told: list[tuple[int, float, bool, bool]] = []
    tick, way, jitter = 1000, 5.0, 0.1
    while len(told) < 3000:
        marker = True
        if dice.random() < 0.3:
            way, jitter = dice.uniform(1, 20), 10 ** dice.uniform(-2, 0.8)
        stall = dice.choice([0.0, 0.0, 0.0, dice.uniform(5, 40)])
        length = dice.randrange(5, 200)
        for at in range(length):
            held = max(0.0, stall - at) if dice.random() < 0.99 else dice.uniform(0, 30)
            now = tick * 1.0002 + way + dice.random() * jitter + held
            told.append((tick, now, marker, at < 6 and dice.random() < 0.9))
            tick, marker = tick + 1, False
        tick += dice.choice([10, 100, 1000, 5000])
    return told


@pytest.mark.parametrize("seed", range(6))
def test_the_page_decides_as_the_client_does(seed: int) -> None:
    dice = random.Random(seed)
    room, came = frames(dice), arrivals(dice)
    expected = [dice.uniform(0, 3) for _ in range(seed % 2 * 16)]
    page = in_page({"frames": room, "arrivals": came, "expected": expected})

    gate = TalkGate()
    opened = []
    for level, mode in room:
        gate.mode = GateMode(mode)
        opened.append(gate.push(level))
    assert page["open"] == opened
    assert True in opened
    assert False in opened

    delay = PlayoutDelay(MARGIN, tuning=msgspec.structs.replace(TUNING.playout, start=START))
    delay.expect(expected)
    for arrival, (target, base) in zip(came, page["targets"], strict=True):
        delay.observe(*arrival)
        assert target == pytest.approx(delay.target)
        assert base == pytest.approx(delay.base)
