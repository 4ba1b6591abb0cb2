"""Blocks that are ready for the loudspeaker, without a device: what is taken, what is late, when more is asked for."""

from hypothesis import given
from hypothesis import strategies as st

from voicechat.client.audio.playout import MOST_READY, PlayoutQueue
from voicechat.format import BLOCK_BYTES, SILENT_BLOCK

steps = st.one_of(
    st.just(("take", 0)),
    st.just(("rest", 0)),
    st.tuples(st.just("play"), st.integers(0, MOST_READY + 3)),
    st.tuples(st.just("provide"), st.integers(1, 5)),
)


def block(number: int) -> bytes:
    return number.to_bytes(4, "big") * (BLOCK_BYTES // 4)


@given(st.lists(steps, max_size=200), st.integers(1, 8))
def test_blocks_come_out_in_order_and_what_is_late_is_counted(done: list[tuple[str, int]], together: int) -> None:
    """Against a plain list."""
    queue, ready, number, late, playing, asked = PlayoutQueue(), list[bytes](), 0, 0, False, False
    for what, count in done:
        if what == "take":
            late += playing and not ready
            assert queue.take() == (ready.pop(0) if ready else SILENT_BLOCK)
            wakes = queue.ask(together)
            assert wakes == (playing and not asked and len(ready) < together), "once for all that is missing"
            asked |= wakes
        elif what == "rest":
            queue.rest()
            playing = asked = False
        elif what == "play":
            queue.play(count)
            ready += [SILENT_BLOCK] * min(count, MOST_READY)
            playing = asked = True
        else:
            sound = [block(number + more) for more in range(count)]
            number += count
            queue.provide(b"".join(sound), together)
            ready = [*ready, *sound][-MOST_READY:]
            asked = len(ready) < together
        assert (len(queue), queue.underruns) == (len(ready), late)
        assert (queue.playing, queue.asked) == (playing, asked)
