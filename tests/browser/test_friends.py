"""What friends in a browser do with one another, and with one at a terminal: each wish has its effect on the others."""

import signal

from testkit.browsing import BrowserFriend
from testkit.chromium import SOON
from tests.browser.conftest import Room


def test_all_know_of_each_other(room: Room, ann: BrowserFriend) -> None:
    ann.shows("Ben")
    ann.shows("Cid")
    room.ben.shows("Ann")
    room.cid.line("Ann joined")
    ann.tab.until("document.documentElement.dataset.path === 'udp'")


def test_who_talks_is_said_in_a_word_and_how_late_they_are_heard(room: Room, ann: BrowserFriend) -> None:
    room.ben.tab.until(
        "[...document.querySelectorAll('#people li')].some(e => /Ann[^]*talks · ~\\d+ ms/.test(e.innerText))"
    )
    room.cid.line("Ann talks")


def test_muted_nobody_hears_them_and_all_are_told(room: Room, ann: BrowserFriend) -> None:
    ann.tab.click("#mute")
    room.cid.line("Ann is muted")
    room.ben.shows("muted")
    ann.shows("muted: nobody hears you")
    room.ben.hears_nothing()
    ann.shows("you talk, but you are muted")
    ann.tab.click("#mute")
    room.ben.hears_more()
    room.cid.line("Ann is unmuted")


def test_deafened_they_hear_nobody_and_are_muted(room: Room, ann: BrowserFriend) -> None:
    ann.hears_more()
    ann.tab.click("#deafen")
    room.cid.line("Ann is deafened")
    room.ben.hears_nothing()
    ann.hears_nothing()
    ann.tab.click("#deafen")
    ann.hears_more()
    room.ben.hears_more()


def test_push_to_talk_sends_while_space_is_held_and_not_when_the_page_lost_the_keyboard(
    room: Room, ann: BrowserFriend
) -> None:
    ann.tab.evaluate(
        "(m => { m.value = 'push'; m.dispatchEvent(new Event('change')); })(document.getElementById('mode'))"
    )
    try:
        room.ben.hears_nothing()
        ann.tab.evaluate("document.getElementById('mute').focus()")
        ann.tab.key(" ", "Space", down=True, text=" ")
        room.ben.hears_more()
        ann.tab.key(" ", "Space", down=False, text=" ")
        room.ben.hears_nothing()
        assert ann.tab.evaluate("document.getElementById('mute').getAttribute('aria-pressed')") == "false"
        ann.tab.key(" ", "Space", down=True, text=" ")
        room.ben.hears_more()
        ann.tab.evaluate("dispatchEvent(new Event('blur'))")
        room.ben.hears_nothing()
        ann.tab.key(" ", "Space", down=False, text=" ")
    finally:
        ann.tab.evaluate(
            "(m => { m.value = 'voice'; m.dispatchEvent(new Event('change')); })(document.getElementById('mode'))"
        )


SLIDER = "document.querySelector('#people input')"


def test_a_friend_is_softer_and_muted_for_one_alone(room: Room, ann: BrowserFriend) -> None:
    """20 dB softer is a hundredth of the energy; muted nothing comes."""
    room.ben.tab.evaluate(f"({SLIDER}).scrollIntoView()")
    ben = room.ben
    row = "[...document.querySelectorAll('#people li')].find(e => /Ann/.test(e.innerText))"
    ben.hears_more(100)
    loud = ben.loudness(1.5)
    slide = "(s => {{ s.value = '{}'; s.dispatchEvent(new Event('input')); }})(" + row + ".querySelector('input'))"
    ben.tab.evaluate(slide.format(-21))
    ben.hears_more(130)
    soft = ben.loudness(1.5)
    assert 0.001 < soft / loud < 0.05, (loud, soft)
    ben.tab.evaluate(row + ".querySelector('button').click()")
    room.ben.hears_nothing()
    ben.shows("muted by you")
    assert "Ann" in ben.tab.evaluate("localStorage.getItem('voicechat')")
    ben.tab.evaluate(row + ".querySelector('button').click()")
    ben.tab.evaluate(slide.format(0))
    ben.hears_more()


def test_lines_go_both_ways(room: Room, ann: BrowserFriend) -> None:
    ann.tab.evaluate("document.getElementById('text').focus()")
    ann.tab.call("Input.insertText", text="hello <b>all</b> & \u05e9\u05dc\u05d5\u05dd")
    ann.tab.key("Enter", "Enter", down=True, text="\r")
    ann.tab.key("Enter", "Enter", down=False)
    room.cid.line("hello <b>all</b> &")
    room.ben.shows("hello <b>all</b> &")
    assert ann.tab.evaluate("document.querySelector('#text').value") == ""


def test_it_goes_on_in_a_hidden_tab(room: Room, ann: BrowserFriend) -> None:
    """Another tab lies before theirs, as a game would; the browser holds up the timers of what is hidden."""
    other = ann.browser.open("about:blank")
    ann.browser.call("Target.activateTarget", targetId=other.target)
    try:
        ann.tab.until("document.hidden", 5)
        room.ben.hears_more(100, 4)
        ann.hears_more(100, 4)
    finally:
        ann.browser.call("Target.closeTarget", targetId=other.target)
        ann.browser.call("Target.activateTarget", targetId=ann.tab.target)


def test_the_sound_system_is_given_every_frame_in_time(room: Room, ann: BrowserFriend) -> None:
    """Ten seconds in which few frames come too late, or are made up."""
    ann.tab.evaluate("document.querySelector('details').open = true")
    ann.tab.until("/\\d+ played/.test(document.getElementById('figures').textContent)")

    def figure(name: str) -> int:
        return int(ann.tab.evaluate(f"document.getElementById('figures').textContent.match(/(\\d+) {name}/)[1]"))

    before = {name: figure(name) for name in ("played", "concealed", "late")}
    ann.hears_more(250, SOON)
    ann.tab.until(
        f"{before['played']} + 240 < document.getElementById('figures').textContent.match(/(\\d+) played/)[1]"
    )
    played = figure("played") - before["played"]
    missed = sum(figure(name) - before[name] for name in ("concealed", "late"))
    assert missed < 0.1 * played, (played, missed)


def test_after_a_stall_voices_are_back_within_a_second(room: Room, ann: BrowserFriend) -> None:
    """The server stands still for a second and a half, and all that was said comes at once: it is skipped."""
    ann.tab.until("/talks · ~/.test(document.getElementById('people').innerText)")
    late = "Number(/~(\\d+) ms/.exec(document.getElementById('people').innerText)?.[1] ?? 0)"
    before = ann.tab.evaluate(late)
    room.server.program.signal(signal.SIGSTOP)
    ann.tab.evaluate("new Promise((done) => setTimeout(done, 1500))")
    room.server.program.signal(signal.SIGCONT)
    ann.hears_more(20, 1.0)
    ann.hears_more(100)
    assert ann.tab.evaluate(late) < before + 100
