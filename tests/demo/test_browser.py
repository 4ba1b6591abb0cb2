from demo.browser import stats


def test_the_figures_of_a_page_become_those_of_a_client() -> None:
    page = "Frames: 377 played, 5 concealed, 2 late, 21 dropped, 3 underruns, 453 sent. Bytes: 1234 in, 5678 out"
    assert stats(page, "tcp") == {
        "bytes": {"in": 1234, "out": 5678},
        "frames": {"played": 377, "recovered": 0, "concealed": 5, "late": 2, "dropped": 21},
        "path": "tcp",
        "wav": {},
    }
