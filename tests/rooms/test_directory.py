"""Rooms by name: made when somebody enters, gone with the last one, never too many."""

from voicechat.rooms.directory import MOST_ROOMS, Alone, Directory, Key


def test_a_room_is_made_once_and_found_again() -> None:
    directory = Directory[list[Key]](lambda name: [name])
    den = directory.find("den")
    assert den == ["den"]
    assert directory.find("den") is directory.get("den") is den
    assert directory.get("nowhere") is None
    assert len(directory) == 1
    assert directory.find("") is not den
    assert list(directory) == [["den"], [""]]


def test_an_empty_room_is_dropped_and_one_in_use_is_not() -> None:
    directory = Directory[list[Key]](lambda name: [name])
    den = directory.find("den")
    assert den is not None
    directory.tidy("den")
    assert directory.find("den") is den
    den.clear()
    directory.tidy("den")
    directory.tidy("never there")
    assert len(directory) == 0
    assert directory.find("den") is not den


def test_rooms_may_go_while_they_are_looped_over() -> None:
    directory = Directory[list[Key]](lambda name: [name])
    for name in "abc":
        directory.find(name)
    for room in directory:
        directory.tidy(room.pop())
    assert len(directory) == 0


def test_a_room_for_one_is_found_by_its_key_alone() -> None:
    directory = Directory[list[Key]](lambda key: [key])
    mine, yours = Alone(), Alone()
    assert directory.find(mine) == [mine]
    assert directory.get(yours) is directory.get("") is None
    directory.find(yours)
    assert len(directory) == 2
    for room in directory:
        directory.tidy(room.pop())
    assert len(directory) == 0


def test_there_are_never_too_many() -> None:
    directory = Directory[list[Key]](lambda name: [name])
    for number in range(MOST_ROOMS):
        assert directory.find(str(number)) is not None
    assert directory.find("one more") is directory.find(Alone()) is None
    assert directory.find("7") == ["7"]
    assert len(directory) == MOST_ROOMS
