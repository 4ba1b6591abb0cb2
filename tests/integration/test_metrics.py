"""A real server with --metrics, a real client that talks, and what Prometheus, alerts and a dashboard would read."""

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from testkit.children import SOON, Children, Server
from testkit.processes import free_port

DOCS = Path(__file__).parents[2] / "docs"


def asked(url: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=SOON) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Watched:
    """A server that tells its figures."""

    def __init__(self, home: Children) -> None:
        self.home = home
        file = str(home.password_file)
        self.server = Server(
            home.start(
                *("voicechat-server", "--port", "0", "--password-file", file, "--mixing", "always"),
                *("--metrics", "127.0.0.1:0"),
            )
        )
        self.url = self.server.program.line("figures at ").rpartition(" ")[2].removesuffix("/metrics")

    def samples(self) -> list[Sample]:
        """Every number."""
        status, text = asked(f"{self.url}/metrics")
        assert status == 200
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def scrape(self) -> dict[str, float]:
        """Every number by its name, and the values of its labels, as one string."""
        return {"/".join([one.name, *one.labels.values()]): one.value for one in self.samples()}


@pytest.fixture(scope="module")
def watched(home: Children) -> Watched:
    return Watched(home)


def test_figures_move_when_people_talk(watched: Watched) -> None:
    before = watched.scrape()
    assert before["voicechat_participants/here"] == before["voicechat_rooms"] == 0
    ben = watched.home.client(watched.server.port, "Ben")
    ben.line("you are in as Ben")
    ann = watched.home.client(watched.server.port, "Ann", "--duration", "3", input="tone:440")
    ann.line("you are in as Ann")
    during = watched.scrape()
    assert (during["voicechat_participants/here"], during["voicechat_rooms"]) == (2, 1)
    assert ann.end() == 0
    after = watched.scrape()
    moved = {name.removeprefix("voicechat_"): number - before[name] for name, number in after.items()}
    assert moved["logins_total/entered"] == 2
    assert moved["logins_total/wrong_password"] == moved["frames_forwarded_total"] == moved["faults_total"] == 0
    for name in (
        *("connections_total", "packets_received_total/udp", "frames_mixed_total", "frames_played_total"),
        *("encode_seconds_total", "ticks_total", "tick_late_seconds_count", "tick_late_seconds_sum"),
    ):
        assert moved[name] > 0, name
    assert moved["frames_played_total"] > 100, "3 s of 20 ms"
    assert asked(f"{watched.url}/livez") == asked(f"{watched.url}/readyz") == (200, "ok\n")
    assert asked(f"{watched.url}/")[0] == 404
    ben.signal(signal.SIGTERM)
    ben.end()


def dashboard() -> Iterator[str]:
    """Each expression of the dashboard, and what its variables ask for."""
    board: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace('instance=~"$instance", ', "")
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def alerts() -> list[str]:
    """The expression of each alert."""
    text = (DOCS / "alerts.yml").read_text(encoding="utf-8")
    found = re.findall(r"^ +expr: (.+)$", text, re.MULTILINE)
    assert len(found) == text.count("- alert: ") > 5
    return found


def test_every_name_and_label_of_dashboard_and_alerts_is_in_a_scrape(watched: Watched) -> None:
    samples = watched.samples()
    expressions = [*dashboard(), *alerts()]
    names = {name for text in expressions for name in re.findall(r"\bvoicechat_\w+", text)}
    assert len(names) > 20
    assert names <= {sample.name for sample in samples}
    chosen = [found for text in expressions for found in re.findall(r'(voicechat_\w+)\{(\w+)="(\w+)"\}', text)]
    assert ("voicechat_logins_total", "result", "full") in chosen
    for name, label, value in chosen:
        assert any(one.name == name and one.labels.get(label) == value for one in samples), (name, label, value)
    by = {
        label for text in expressions for found in re.findall(r"by \(([\w, ]+)\)", text) for label in found.split(", ")
    }
    assert by <= {label for one in samples for label in one.labels}


def test_every_metric_that_operators_asked_for_is_on_the_dashboard() -> None:
    text = " ".join(dashboard())
    for name in (
        *("rooms", "participants", "talkers", "logins_total", "frames_forwarded_total", "frames_mixed_total"),
        *("frames_concealed_total", "frames_recovered_total", "packets_received_total", "frames_lost_total"),
        *("tick_late_seconds_bucket", "ticks_skipped_total", "encode_seconds_total", "refused_total", "build_info"),
    ):
        assert re.search(rf"voicechat_{name}\b", text), name


def test_others_wait_for_nobody_who_holds_connections(watched: Watched) -> None:
    """Eight are held open without a word: people talk on, and Prometheus is served as soon as they are cut off."""
    host, port = watched.url.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port)), timeout=SOON) for _ in range(8)]
    try:
        ann = watched.home.client(watched.server.port, "Cid", "--duration", "1")
        assert ann.end() == 0
        assert not any(map(_answered, held)), "they are cut off"
    finally:
        for one in held:
            one.close()
    assert watched.scrape()["voicechat_health_requests_total/too_slow"] == 8


def _answered(one: socket.socket) -> bool:
    """Whether anything comes before its end."""
    try:
        return bool(one.recv(1))
    except ConnectionResetError:
        return False


def test_a_port_of_figures_in_use_is_told_in_one_line(house: Children) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        file = str(house.password_file)
        program = house.start(
            *("voicechat-server", "--port", str(free_port()), "--password-file", file, "--metrics", at)
        )
        assert program.end() == 1
    assert (
        program.err
        == f"voicechat-server: cannot listen on {at} (--metrics): Address already in use; is another server running?\n"
    )


def test_twistd_has_it_too(house: Children) -> None:
    server = house.server(
        variables={"VOICECHAT_METRICS": "[::1]:0", "VOICECHAT_PASSWORD_FILE": str(house.password_file)}
    )
    url = server.program.line("figures at http://[::1]:").rpartition(" ")[2]
    status, text = asked(url)
    assert status == 200
    assert "voicechat_build_info{" in text
    server.program.signal(signal.SIGTERM)
    assert server.program.end() == 0
    with pytest.raises(urllib.error.URLError):
        asked(url)
