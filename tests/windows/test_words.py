"""What players on Windows are told: nothing of pip, and of quotes what cmd.exe knows."""

from testkit.children import PASSWORD, Children
from testkit.wine import Wine
from tests.windows.conftest import Friend
from voicechat.client.exits import Exit

CLIENT = "voicechat-client.exe"


def test_quotes_that_cmd_exe_leaves_are_told_and_in_a_link_understood(friend: Friend, house: Children) -> None:
    server = house.server()
    status, _, err = friend.run(house, CLIENT, "--name", "'Ann", "Lee'", "--host", "127.0.0.1")
    assert status == Exit.USAGE
    assert 'cmd.exe takes double quotes only, as in --name "Ann Lee"' in err
    link = f"'voicechat://127.0.0.1:{server.port}/#{PASSWORD}'"
    chosen = ["--name", "Ann", "--input", "silence", "--output", "null", "--ui", "line", "--duration", "0.5"]
    status, out, err = friend.run(house, CLIENT, link, *chosen)
    assert status == Exit.OK, err
    assert "you are in as Ann" in out


def test_nobody_is_told_to_use_pip_where_there_is_none(friend: Friend, house: Children) -> None:
    server = house.server()
    chosen = ["--host", "127.0.0.1", "--port", str(server.port), "--password-file", Wine.path(house.password_file)]
    chosen += ["--name", "Ann", "--input", "silence", "--output", "null", "--ui", "line", "--duration", "0.5"]
    status, out, err = friend.run(house, CLIENT, *chosen, "--suppress", "strong")
    assert status == Exit.OK, err
    assert "pip" not in out + err
    assert "strong suppression needs RNNoise, which the folder for Windows does not have; light" in out + err
