"""A thread's Python state that is kept and let go, in a thread of Python's own; tests/sound has a C library's."""

import threading

from voicechat.client.audio.threadstate import ThreadState


def test_what_was_kept_is_let_go_once() -> None:
    state = ThreadState()
    assert not state.let_go()
    state.keep()
    state.keep()
    assert state.let_go()
    assert not state.let_go()


def test_each_thread_has_its_own() -> None:
    state = ThreadState()
    state.keep()
    others: list[bool] = []
    thread = threading.Thread(target=lambda: others.append(state.let_go()))
    thread.start()
    thread.join()
    assert others == [False]
    assert state.let_go()
