"""Every parser, many thousand times: a value or WireError. `make soak` does a million each, `make fuzz` has no end."""

import random

import pytest

from tests.conftest import SOAK
from tests.fuzz.targets import MOST_BYTES, TARGETS, corpus, mutated

INPUTS = 1_000_000 if SOAK else 20_000


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_ever_kept_ends_in_a_value_or_a_wire_error(name: str) -> None:
    target = TARGETS[name]
    for data in (*target.seeds(), *corpus(name), b"", bytes(MOST_BYTES), b"\xff" * MOST_BYTES):
        target.run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_many_thousand_inputs_end_in_a_value_or_a_wire_error(name: str) -> None:
    target, chance = TARGETS[name], random.Random(f"voicechat {name}")
    inputs = [*target.seeds(), *corpus(name)]
    for _ in range(INPUTS):
        data = mutated(target, inputs, chance)
        try:
            target.run(data)
        except Exception as error:
            error.add_note(f"with this line in tests/fuzz/corpus/{name}.hex it is tried first:\n{data.hex()}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_get_past_the_first_bytes_and_are_not_all_refused_alike(name: str) -> None:
    target, chance = TARGETS[name], random.Random(1)
    inputs = target.seeds()
    made = [mutated(target, inputs, chance) for _ in range(2_000)]
    assert len(set(made)) > 1_000
    heads = {seed[: target.head] for seed in inputs}
    assert sum(data[: target.head] in heads for data in made) > 1_500
    lengths = {len(seed) for seed in inputs}
    assert sum(len(data) in lengths for data in made) > 500
