"""Mixing: equal rows are one encoding, and each listener gets their own row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicechat.format import FRAME_SAMPLES, silent_frame
from voicechat.rooms.mixing import Mixing, MixRow
from voicechat.testing import MemoryCodec, MemoryEncoder

CODEC = MemoryCodec()
LOUDNESS = st.sampled_from([0.0, 0.5, 1.0])


class KeptEncoders(MemoryCodec):
    """Remembers the encoders that were asked for."""

    def __init__(self) -> None:
        self.made: list[MemoryEncoder] = []

    def encoder(self, bitrate: int) -> MemoryEncoder:
        self.made.append(super().encoder(bitrate))
        return self.made[-1]


def frames(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Constant frames, one for each talker."""
    made = np.empty((len(values), FRAME_SAMPLES), np.float32)
    made[:] = np.array(values, np.float32)[:, None]
    return made


def value(payload: bytes) -> float:
    out = silent_frame()
    CODEC.decoder().decode(payload, out)
    return float(out[0])


def rows(gains: dict[int, tuple[float, ...]], *bitrates: int) -> dict[int, MixRow]:
    """A row for each listener; the bitrates go round among them."""
    given = bitrates or (12_000,)
    return {listener: MixRow(row, given[listener % len(given)]) for listener, row in gains.items()}


def flat_room(members: int, talkers: int) -> dict[int, tuple[float, ...]]:
    """Everybody hears every talker but themselves."""
    return {
        listener: tuple(float(talker != listener) for talker in range(1, talkers + 1))
        for listener in range(1, members + 1)
    }


def test_a_mix_is_arithmetic() -> None:
    mixed = Mixing(CODEC).run(rows({1: (0.0, 1.0), 2: (1.0, 0.0), 3: (1.0, 1.0), 4: (0.5, 1.0)}), frames(0.5, 0.25))
    assert {listener: value(row.payload) for row in mixed for listener in row.listeners} == {
        1: 0.25,
        2: 0.5,
        3: 0.75,
        4: 0.5,
    }


@pytest.mark.parametrize("members", [4, 16, 64])
@pytest.mark.parametrize("talkers", [1, 2, 3, 4])
def test_a_flat_room_costs_one_encoding_more_than_it_has_talkers(members: int, talkers: int) -> None:
    mixing = Mixing(CODEC)
    for tick in range(1, 11):
        mixed = mixing.run(rows(flat_room(members, talkers)), frames(*([0.125] * talkers)))
        assert sorted(listener for row in mixed for listener in row.listeners) == list(
            range(1 + (talkers == 1), members + 1)
        )
        assert mixing.encodings <= (talkers + 1) * tick


@pytest.mark.parametrize("members", [4, 16, 64])
@pytest.mark.parametrize("talkers", [1, 2, 3, 4])
@pytest.mark.parametrize("bitrates", [(12_000, 24_000), (8_000, 12_000, 24_000)])
def test_each_further_bitrate_costs_one_encoding_more_and_everybody_gets_his(
    members: int, talkers: int, bitrates: tuple[int, ...]
) -> None:
    codec = KeptEncoders()
    mixing = Mixing(codec)
    asked = rows(flat_room(members, talkers), *bitrates)
    for tick in range(1, 11):
        mixed = mixing.run(asked, frames(*([0.125] * talkers)))
        assert mixing.encodings <= (talkers + len(bitrates)) * tick
    for row in mixed:
        (coded,) = {mixing._coder_of[listener].encoder for listener in row.listeners}
        assert isinstance(coded, MemoryEncoder)
        assert {asked[listener].bitrate for listener in row.listeners} == {coded.bitrate}


def test_rows_of_zeros_and_no_rows_cost_nothing() -> None:
    mixing = Mixing(CODEC)
    assert mixing.run({}, frames(0.5)) == []
    assert mixing.run(rows({1: (0.0,), 2: (0.0,)}), frames(0.5)) == []
    assert mixing.run(rows({1: (), 2: ()}), frames()) == []
    assert mixing.encodings == 0


def test_everybody_shouting_is_limited() -> None:
    mixed = Mixing(CODEC).run(rows({1: (8.0, 8.0)}), frames(1.0, 1.0))
    assert 0.5 < value(mixed[0].payload) < 1.0


def test_a_listener_keeps_his_encoder_while_others_come_and_go() -> None:
    codec = KeptEncoders()
    mixing = Mixing(codec)
    for others in (2, 5, 3, 9, 2):
        mixing.run(rows({1: (0.0, 1.0), **dict.fromkeys(range(10, 10 + others), (1.0, 1.0))}), frames(0.5, 0.25))
    assert len(codec.made) == 2
    assert [encoder.frames for encoder in codec.made] == [5, 5]


def test_a_row_that_begins_has_an_encoder_that_remembers_nothing() -> None:
    """The listener's decoder is new then, too: stale prediction on one side only is heard as a click."""
    codec = KeptEncoders()
    mixing = Mixing(codec)
    for listener in range(1, 100):
        mixing.run(rows({listener: (1.0,)}), frames(0.5))
        mixing.forget(listener)
    assert [encoder.frames for encoder in codec.made] == [1] * 99
    mixing.forget(12_345)
    assert not mixing.coders


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(1, 6), st.tuples(LOUDNESS, LOUDNESS, LOUDNESS), max_size=6),
            st.sets(st.integers(1, 6)),
        ),
        max_size=12,
    )
)
def test_each_gets_his_own_row_and_no_two_rows_share_an_encoder(
    ticks: list[tuple[dict[int, tuple[float, ...]], set[int]]],
) -> None:
    codec = KeptEncoders()
    mixing = Mixing(codec)
    for asked, gone in ticks:
        before = {id(encoder): encoder.frames for encoder in codec.made}
        mixed = mixing.run(rows(asked), frames(0.25, 0.125, 0.0625))
        got = {listener: value(row.payload) for row in mixed for listener in row.listeners}
        assert got == {
            listener: sum(gain * said for gain, said in zip(gains, (0.25, 0.125, 0.0625), strict=True))
            for listener, gains in asked.items()
            if any(gains)
        }
        distinct = len({gains for gains in asked.values() if any(gains)})
        assert len(mixed) == distinct
        used = [encoder for encoder in codec.made if encoder.frames != before.get(id(encoder), 0)]
        assert all(encoder.frames == before.get(id(encoder), 0) + 1 for encoder in used)
        assert len(used) == distinct
        for listener in gone:
            mixing.forget(listener)
        assert mixing.coders <= 6
