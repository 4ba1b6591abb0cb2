"""What is installed, and that ``twistd`` finds it from any folder."""

import ast
import configparser
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points, requires
from pathlib import Path

import pytest
from setuptools import Distribution

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "twisted" / "plugins" / "voicechat_plugin.py"

LIST_COMMANDS = """
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
for plugin in getPlugins(IServiceMaker):
    if plugin.tapname == "voicechat":
        print(plugin.module, plugin.description, sep="\\n")
"""

LOAD_TAC = """
import sys
from twisted.application.service import IServiceCollection, loadApplication
print(len(list(IServiceCollection(loadApplication(sys.argv[1], "python")))))
"""


def run(folder: Path, program: str, *arguments: str) -> str:
    """What a fresh interpreter, started in ``folder``, prints for a program."""
    command = [sys.executable, "-c", program, *arguments]
    environment = {**os.environ, "VOICECHAT_PASSWORD": "correct horse"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_every_package_and_the_plugin_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else: no tests, no demo."""
    monkeypatch.chdir(ROOT)
    distribution = Distribution()
    distribution.parse_config_files()
    distribution.set_defaults()
    folders = {module.parent.relative_to(ROOT) for module in (ROOT / "voicechat").rglob("*.py")}
    packages = {".".join(folder.parts) for folder in folders}
    assert set(distribution.packages) == packages | {"twisted.plugins"}
    assert "voicechat.server" in packages


def test_twistd_finds_the_plugin_from_any_folder(tmp_path: Path) -> None:
    module, description = run(tmp_path, LIST_COMMANDS).splitlines()
    assert module == "voicechat.server.tap"
    assert description == "A low-latency voice chat server for a few friends."


def test_the_plugin_is_data() -> None:
    """Each ``twistd``, whatever it runs, imports it."""
    tree = ast.parse(PLUGIN.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["from twisted.application.service import ServiceMaker"]


def test_nothing_hides_twisted_itself() -> None:
    """An ``__init__.py`` in either folder would make ours the only ``twisted`` there is."""
    assert not list((ROOT / "twisted").rglob("__init__.py"))


def test_the_tac_file_makes_the_service_from_the_environment(tmp_path: Path) -> None:
    assert run(tmp_path, LOAD_TAC, str(ROOT / "tac" / "voicechat.tac")).split() == ["1"]


def test_the_clients_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="voicechat-client")
    assert callable(command.load())


def test_every_command_is_there() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    commands = [line.split(" = ") for line in setup["options.entry_points"]["console_scripts"].split("\n") if line]
    assert [name for name, _ in commands] == ["voicechat-client", "voicechat-ctl", "voicechat-server"]
    for name, target in commands:
        assert callable(EntryPoint(name, target, "console_scripts").load())


def test_the_server_alone_needs_no_sound_device() -> None:
    """PyAudio, and so PortAudio, comes with the client only."""
    (line,) = [line for line in requires("voicechat") or [] if line.lower().startswith("pyaudio")]
    assert "extra == 'client'" in line.replace('"', "'")
