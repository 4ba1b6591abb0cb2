"""Breakages of what makes the client take machines that are not as ours: files, descriptors, signals, terminals."""

from typing import Final

from tests.mutations.mutation import Mutation

_CLI: Final = "tests/client/test_cli.py::"
_WAV: Final = "tests/client/audio/test_wav.py::"
_FILE: Final = "tests/client/test_configuration.py::"
_STANDARD: Final = "tests/test_standard.py::"

MACHINES: Final = (
    Mutation(
        "machines",
        "signals that were ignored are obeyed",
        "voicechat/standard.py",
        "if signal.getsignal(number) is not signal.SIG_IGN:",
        "if True:",
        (f"{_STANDARD}test_a_signal_that_was_ignored_stays_ignored",),
    ),
    Mutation(
        "machines",
        "closed descriptors stay closed",
        "voicechat/standard.py",
        "if getattr(sys, name) is None:",
        "if False:",
        (f"{_STANDARD}test_closed_descriptors_are_opened_on_nothing",),
    ),
    Mutation(
        "machines",
        "what nobody reads is written once more at the end",
        "voicechat/standard.py",
        "os.dup2(null, number)",
        "pass",
        (f"{_STANDARD}test_a_reader_who_has_seen_enough_is_no_fault",),
    ),
    Mutation(
        "machines",
        "a byte-order mark is a part of the text",
        "voicechat/plain.py",
        '"utf-8-sig"',
        '"utf-8"',
        (
            f"{_FILE}test_a_byte_order_mark_is_no_part_of_the_text",
            "tests/test_passwords.py::test_a_byte_order_mark_is_no_part_of_the_password",
        ),
    ),
    Mutation(
        "machines",
        "a recording on a full disk ends without a word",
        "voicechat/client/audio/wav.py",
        'self.failed(f"the recording {self._path} ends here',
        'str(f"the recording {self._path} ends here',
        (
            f"{_WAV}test_a_full_disk_ends_the_recording_which_is_told_once_and_stays_playable",
            f"{_WAV}test_a_disk_that_is_full_at_the_end_is_told_too",
        ),
    ),
    Mutation(
        "machines",
        "on a full disk the header counts what found no room",
        "voicechat/client/audio/wav.py",
        "self._written += counts * written",
        "self._written += counts * len(data)",
        (f"{_WAV}test_a_full_disk_ends_the_recording_which_is_told_once_and_stays_playable",),
    ),
    Mutation(
        "machines",
        "extensible headers are not looked into",
        "voicechat/client/audio/wav.py",
        "if tag == EXTENSIBLE and form",
        "if tag == PCM and form",
        (
            f"{_WAV}test_our_format_is_played_however_its_header_is_written",
            f"{_WAV}test_what_is_not_our_format_is_called_by_its_name",
        ),
    ),
    Mutation(
        "machines",
        "chunks are looked at without an end",
        "voicechat/client/audio/wav.py",
        "for _ in range(MOST_CHUNKS):",
        "while True:",
        (f"{_WAV}test_what_is_not_our_format_is_called_by_its_name",),
    ),
    Mutation(
        "machines",
        "pipes are waited for",
        "voicechat/client/audio/wav.py",
        "if not file.seekable():",
        "if False:",
        (f"{_WAV}test_a_pipe_is_told_at_once_and_never_waited_for",),
    ),
    Mutation(
        "machines",
        "a file whose folder is none must be there",
        "voicechat/client/configuration.py",
        "if not os.path.lexists(path):",
        "if False:",
        (
            f"{_FILE}test_a_file_whose_folder_is_none_is_none",
            f"{_CLI}test_without_a_home_there_is_no_file_and_none_is_needed",
        ),
    ),
    Mutation(
        "machines",
        "an empty variable is a password",
        "voicechat/passwords.py",
        "return Secret(from_environment) if from_environment else None",
        "return Secret(from_environment)",
        ("tests/test_passwords.py::test_an_empty_variable_is_none",),
    ),
    Mutation(
        "machines",
        "the home folder is not known in paths",
        "voicechat/client/configuration.py",
        "return Path(text).expanduser()",
        "return Path(text)",
        (f"{_CLI}test_the_home_folder_is_known_in_every_path",),
    ),
    Mutation(
        "machines",
        "names with an underscore are refused unasked",
        "voicechat/client/network/lookup.py",
        'return False, text.encode("ascii", "backslashreplace"), text',
        'return "_" in text, text.encode("ascii", "backslashreplace"), text',
        ("tests/client/network/test_reconnecting.py::test_the_resolver_is_asked_for_what_was_typed",),
    ),
    Mutation(
        "machines",
        "the zone of an address is lost after the lookup",
        "voicechat/client/network/lookup.py",
        'f"{host}%{zone}" if zone else host',
        "host",
        ("tests/client/network/test_lookup.py::test_both_kinds_of_addresses_are_found_with_their_zone",),
    ),
    Mutation(
        "machines",
        "datagrams of a server with a zone are a stranger's",
        "voicechat/client/network/datagrams.py",
        'host.partition("%")[0]',
        "host",
        ("tests/client/network/test_datagrams.py::test_the_zone_of_a_link_local_server_is_kept",),
    ),
    Mutation(
        "machines",
        "a login name that cannot be a name is one",
        "voicechat/client/identity.py",
        "if not _name(login):",
        "if False:",
        (
            "tests/client/test_identity.py::test_a_login_name_becomes_a_name",
            "tests/client/test_identity.py::test_who_chose_no_name_is_told_no_rule_about_them",
        ),
    ),
    Mutation(
        "machines",
        "sockets are made with paths that are too long",
        "voicechat/client/remote/runtime.py",
        "+ LONGEST_NUMBER <= LONGEST_PATH",
        "+ LONGEST_NUMBER <= 1000",
        ("tests/client/remote/test_runtime.py::test_a_folder_with_too_long_a_path_for_a_socket_is_none",),
    ),
    Mutation(
        "machines",
        "an answer that comes byte by byte is waited for",
        "voicechat/client/remote/lines.py",
        "if left <= 0:",
        "if False:",
        ("tests/client/remote/test_ctl.py::test_an_answer_that_never_ends_is_given_up",),
    ),
    Mutation(
        "machines",
        "a terminal of no size is drawn on",
        "voicechat/client/ui/display.py",
        "if not columns or not rows:",
        "if False:",
        ("tests/client/ui/test_display.py::test_a_size_that_cannot_be_drawn_on_is_one_that_can",),
    ),
    Mutation(
        "machines",
        "a client without local sockets obeys whoever finds its port",
        "voicechat/security/proof.py",
        'if not _same(proof, _mac(self._key, b"caller", self._nonce, line)):',
        "if False:",
        (
            "tests/security/test_proof.py::test_nothing_is_good_twice",
            "tests/client/remote/test_loopback.py::test_who_cannot_read_the_file_is_not_obeyed",
        ),
    ),
    Mutation(
        "machines",
        "voicechat-ctl tells what it wants to whoever listens",
        "voicechat/security/proof.py",
        'if not _same(proof, _mac(self._key, b"host", self.hello)):',
        "if False:",
        (
            "tests/security/test_proof.py::test_with_another_key_nothing_is_asked",
            "tests/client/remote/test_loopback.py::test_who_has_taken_a_dead_clients_port_is_told_nothing",
        ),
    ),
    Mutation(
        "machines",
        "a talk key that repeats is pressed anew each time",
        "voicechat/client/windows/rawinput.py",
        " and change.down != self.down:",
        ":",
        ("tests/client/windows/test_rawinput.py::test_whatever_is_typed_only_changes_of_the_key_are_told",),
    ),
    Mutation(
        "machines",
        "the right of two keys is the left one",
        "voicechat/client/windows/rawinput.py",
        "right = bool(flags & E0)",
        "right = False",
        ("tests/client/windows/test_rawinput.py::test_each_key_has_the_name_that_it_has_on_x11",),
    ),
)
