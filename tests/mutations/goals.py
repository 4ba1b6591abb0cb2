"""Breakages of what the goals of docs/goals.md ask for, as far as no threat has them already."""

from typing import Final

from tests.mutations.mutation import Mutation

_TCP: Final = "tests/server/test_protocol.py::TcpTests::"

GOALS: Final = (
    Mutation(
        "R2",
        "in a turn of the reactor a hundred connections are taken",
        "voicechat/server/protocol.py",
        "self._port.numberAccepts = LET_IN",
        "pass",
        ("tests/goals/test_r02_floods.py::test_r2_in_a_turn_of_the_reactor_few_are_let_in",),
    ),
    Mutation(
        "R3",
        "a seat that is given up keeps its ticket",
        "voicechat/server/hub.py",
        "self._tickets.revoke(seat.ticket)\n",
        "pass\n",
        (f"{_TCP}test_a_ticket_is_no_good_once_its_seat_is_gone",),
    ),
    Mutation(
        "R3",
        "a number of somebody who left never rests",
        "voicechat/rooms/room.py",
        "now + REST_TICKS",
        "now",
        ("tests/rooms/test_room.py::test_a_number_rests_for_a_minute",),
    ),
    Mutation(
        "R5 R12",
        "after a stall every beat is made up for",
        "voicechat/media/ticks.py",
        "max(self._done + 1, reached - MOST_AT_ONCE + 1)",
        "self._done + 1",
        (
            "tests/media/test_ticks.py::test_a_stall_is_skipped_but_for_the_latest",
            "tests/goals/test_r12_hardship.py::test_r12_ticks_that_could_not_run_are_skipped_and_counted",
        ),
    ),
    Mutation(
        "R7",
        "reports of loss bring no redundancy",
        "voicechat/carriage/datagrams.py",
        "self.policy.report(report.loss())",
        "pass",
        ("tests/carriage/test_datagrams.py::test_loss_is_counted_reported_and_answered_with_redundancy",),
    ),
    Mutation(
        "R15",
        "the reactor goes by the wall clock",
        "voicechat/carriage/clock.py",
        "reactor.seconds = time.perf_counter",
        "reactor.seconds = time.time",
        ("tests/carriage/test_clock.py::test_the_reactor_does_not_care_for_the_wall_clock",),
    ),
    Mutation(
        "R16 F19",
        "a fault in handling a string is thrown at the reactor",
        "voicechat/server/protocol.py",
        "except Exception:  # noqa: BLE001  the one place that keeps",
        "except ZeroDivisionError:  #",
        ("tests/faults/test_crowd.py::TestF19::test_f19_an_exception_in_handling_a_message_costs_one_connection",),
    ),
    Mutation(
        "R5 R6 F8",
        "what was held back by a stall is played, all of it",
        "voicechat/media/spurt.py",
        "SKIP_ABOVE: Final = PRE_ROLL_FRAMES + 1.5",
        "SKIP_ABOVE: Final = 1e9",
        (
            "tests/faults/test_sound.py::test_f8_after_a_stall_of_two_seconds_the_delay_is_what_it_was_within_one",
            "tests/goals/test_r04_standstills.py::test_r5_the_same_in_virtual_time_to_the_millisecond",
        ),
    ),
    Mutation(
        "R11 F8",
        "frames that come a little too fast pile up",
        "voicechat/media/spurt.py",
        "if self._pace.too_deep:\n            return",
        "if False:\n            return",
        ("tests/faults/test_sound.py::test_f8_clocks_that_drift_apart_do_not_become_delay",),
    ),
    Mutation(
        "R10 F18",
        "a sound device that is lost is not opened again",
        "voicechat/client/audio/supervisor.py",
        "self._run(self._devices.reopen, self._again)",
        "pass",
        (
            "tests/client/audio/test_supervisor.py::test_a_device_that_is_unplugged_gives_way_to_the_next_default_one_in_time",
        ),
    ),
    Mutation(
        "F15",
        "sound is sent twice over TCP",
        "voicechat/carriage/tcp.py",
        "        else:\n            self._write(self.session.seal(packet))",
        "        else:\n            self._write(self.session.seal(packet))\n"
        "            self._write(self.session.seal(packet))",
        ("tests/faults/test_sound.py::test_f15_a_second_of_talk_is_50_packets_of_24_bytes_and_its_payloads",),
    ),
    Mutation(
        "R20",
        "coming back with a ticket costs as much as a login",
        "voicechat/server/admission.py",
        "RESUME_PRICE: Final = 0.1",
        "RESUME_PRICE: Final = 1.0",
        ("tests/server/test_admission.py::test_coming_back_is_cheaper_and_paced_all_the_same",),
    ),
    Mutation(
        "F5",
        "a mix has no limiter",
        "voicechat/rooms/mixing.py",
        "self._limiter.apply(frame)",
        "pass",
        ("tests/rooms/test_mixing.py::test_everybody_shouting_is_limited",),
    ),
    Mutation(
        "F7",
        "what waits between two threads has no bound",
        "voicechat/client/audio/bridge.py",
        "while len(ready) > MOST_READY:",
        "while False:",
        ("tests/client/audio/test_bridge.py::test_what_is_ready_is_bounded",),
    ),
    Mutation(
        "F10",
        "a wrong password is told as a malformed string",
        "voicechat/session/server.py",
        "reason = Reason.PASSWORD",
        "reason = Reason.MALFORMED",
        ("tests/faults/test_door.py::test_f10_a_client_is_told_why_it_cannot_enter",),
    ),
    Mutation(
        "F14",
        "everybody hears their own voice",
        "voicechat/rooms/room.py",
        "talker == self.source or self.deafened",
        "self.deafened",
        (
            "tests/faults/test_sound.py::test_f14_nobody_hears_himself",
            "tests/rooms/test_conference.py::test_nobody_ever_hears_himself",
        ),
    ),
    Mutation(
        "F16",
        "sound that is thrown away is not counted",
        "voicechat/session/outbox.py",
        "self._media.popleft()\n            self.dropped += 1\n        self._media.append",
        "self._media.popleft()\n        self._media.append",
        ("tests/faults/test_crowd.py::test_f16_whatever_cannot_be_sent_is_counted_or_ends_the_connection",),
    ),
    Mutation(
        "F17",
        "a server that stops says no goodbye",
        "voicechat/server/hub.py",
        "self._dismiss(self.seats.values(), Bye(SHUTTING_DOWN, RETRY_SECONDS))",
        "pass",
        ("tests/server/test_protocol.py::SlowReaderTests::test_goodbye_reaches_everybody_at_the_end",),
    ),
)
