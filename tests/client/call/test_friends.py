"""What the server tells about people, in words."""

from voicechat.client.call.friends import Friends
from voicechat.media.quality import Quality
from voicechat.wire import messages as m


def met(*people: m.Participant) -> Friends:
    friends = Friends()
    friends.welcome(m.Welcome(1, "Ann", "", 7, list(people)))
    return friends


def test_a_welcome_names_those_who_are_here() -> None:
    friends = Friends()
    assert friends.welcome(m.Welcome(1, "Ann", "", 7, [])) == "you are in as Ann; nobody else is here yet"
    line = friends.welcome(
        m.Welcome(1, "Ann (2)", "", 7, [m.Participant(2, "Ben"), m.Participant(3, "Cid", away=True)])
    )
    assert line == "you are in as Ann (2), with Ben, Cid (away)"


def test_another_quality_than_the_usual_one_is_told() -> None:
    saver, high = m.Participant(2, "Ben", quality=Quality.SAVER), m.Participant(3, "Cid", True, quality=Quality.HIGH)
    line = Friends().welcome(m.Welcome(1, "Ann", "", 7, [saver, high]))
    assert line == "you are in as Ann, with Ben (saver quality), Cid (away, high quality)"
    assert met().learn(m.Joined(saver)) == "Ben (saver quality) joined"


def test_a_name_counterfeits_no_line_and_moves_none() -> None:
    forged = m.Participant(2, "Ben left (shut down). Ann")
    friends = met(forged, m.Participant(3, "مریم"), m.Participant(4, "Cid (2)"), m.Participant(5, "#6"))
    assert friends.welcome(m.Welcome(1, "Ann Lee", "", 7, friends.people)) == (
        "you are in as Ann Lee, with 'Ben left (shut down). Ann', \u2068مریم\u2069, Cid (2), '#6'"
    )
    for message, line in (
        (m.Joined(forged), "'Ben left (shut down). Ann' joined"),
        (m.Talk(2, talking=True), "'Ben left (shut down). Ann' talks"),
        (m.State(muted=True, source=3), "\u2068مریم\u2069 is muted"),
        (m.Away(4), "Cid (2) is away (line broken)"),
        (m.Back(5), "'#6' is back"),
        (m.Left(2), "'Ben left (shut down). Ann' left"),
    ):
        assert friends.learn(message) == line


def test_each_change_has_its_line() -> None:
    friends = met(m.Participant(2, "Ben"))
    told = [
        (m.Joined(m.Participant(3, "Cid")), "Cid joined"),
        (m.Talk(3, talking=True), "Cid talks"),
        (m.Talk(3, talking=False), "Cid stops"),
        (m.State(muted=True, source=2), "Ben is muted"),
        (m.State(muted=True, deafened=True, source=2), "Ben is deafened"),
        (m.State(source=2), "Ben listens again"),
        (m.State(muted=True, source=2), "Ben is muted"),
        (m.State(source=2), "Ben is unmuted"),
        (m.Away(2), "Ben is away (line broken)"),
        (m.Back(2), "Ben is back"),
        (m.Left(3), "Cid left"),
        (m.Left(2, "did not come back"), "Ben left (did not come back)"),
    ]
    assert [friends.learn(message) for message, _ in told] == [line for _, line in told]


def test_how_late_somebody_comes_is_known_until_they_leave() -> None:
    friends = met(m.Participant(2, "Ben"), m.Participant(3, "Cid"))
    friends.learn(m.Talk(2, talking=True, way_ms=12, held_ms=21))
    friends.learn(m.Talk(3, talking=True, way_ms=7))
    friends.learn(m.Talk(2, talking=False))
    assert [friends.lateness(source) for source in (2, 3, 4)] == [(12, 21), (7, 0), None]
    friends.learn(m.Left(2))
    assert friends.lateness(2) is None
    friends.welcome(m.Welcome(1, "Ann", "", 7, []))
    assert friends.lateness(3) is None


def test_what_is_no_news_has_none() -> None:
    assert met().learn(m.Pong(1)) is None


def test_who_talks_is_known_until_they_stop_leave_or_are_away() -> None:
    friends = met(m.Participant(2, "Ben"), m.Participant(3, "Cid"), m.Participant(4, "Dan"))
    for source in (4, 3, 2):
        friends.learn(m.Talk(source, talking=True))
    assert friends.talking == ["Ben", "Cid", "Dan"]
    friends.learn(m.Talk(2, talking=False))
    friends.learn(m.Left(3))
    friends.learn(m.Away(4))
    assert friends.talking == []


def test_a_welcome_begins_anew() -> None:
    friends = met(m.Participant(2, "Ben"))
    friends.learn(m.Talk(2, talking=True))
    friends.welcome(m.Welcome(1, "Ann", "", 8, [m.Participant(3, "Cid")]))
    assert friends.talking == []
    friends.learn(m.Left(3))
    assert not friends.listening


def test_somebody_listens_unless_all_are_away_or_deafened() -> None:
    friends = met()
    assert not friends.listening
    friends.learn(m.Joined(m.Participant(2, "Ben")))
    assert friends.listening
    friends.learn(m.State(deafened=True, source=2))
    assert not friends.listening
    friends.learn(m.State(muted=True, source=2))
    assert friends.listening, "a muted one hears"
    friends.learn(m.Away(2))
    assert not friends.listening
    friends.learn(m.Back(2))
    assert friends.listening


def test_one_who_has_left_still_has_a_name_and_a_stranger_a_number() -> None:
    friends = met(m.Participant(2, "Ben"))
    friends.learn(m.Left(2))
    assert friends.name(2) == "Ben"
    assert friends.name(9) == "#9"


def test_news_of_nobody_is_lived_through() -> None:
    friends = met()
    for message in (m.Left(9), m.Away(9), m.Back(9), m.Talk(9, talking=True), m.State(source=9), m.Text("x", 9)):
        friends.learn(message)
    assert not friends.listening
