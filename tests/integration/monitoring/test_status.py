"""/status/ for staff: from a Prometheus, from one that is gone, and without any."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from shop.monitoring import memory, own_figures, status
from shop.monitoring.prometheus import client as http_client


class Server(ThreadingHTTPServer):
    """Answers as Prometheus does: every line rises, one node is down, one alert fires.

    What is asked with a word of `slow` in it, or all with "", has no answer until `over` is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.slow: list[str] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append(asked.get("query", ""))
        if any(word in self.path for word in self.server.slow):
            self.server.over.wait(timeout=30)
            return
        body = json.dumps({"status": "success", "data": answer(parts.path, asked)}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answer(path: str, asked: dict[str, str]) -> dict[str, Any]:
    if path == "/api/v1/alerts":
        return {
            "alerts": [
                alert("firing", "NodeDown", "critical", "A node does not answer <now>."),
                alert("pending", "ApiSlow", "warning", "not yet"),
            ]
        }
    if path == "/api/v1/query":
        node = {"node": "127.0.0.1:5501"}
        return {
            "result": [
                sample("sharding_node_info", 1, role="worker", alias="node_1", **node),
                sample("sharding_node_up", 0, **node),
                sample("shardmart_outbox_waiting", 1234),
            ]
        }
    end = float(asked["end"])
    values = [[end - 60, "1"], [end - 30, "NaN"], [end, "0.25"]]
    return {"result": [{"metric": {"queue": "mail", "alias": "node_1"}, "values": values}]}


def alert(state: str, name: str, severity: str, summary: str) -> dict[str, Any]:
    return {
        "state": state,
        "activeAt": "2026-01-01T12:34:56Z",
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": summary, "runbook_url": f"https://example.com/{name}.md"},
    }


def sample(name: str, value: float, **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, **labels}, "value": [time.time(), str(value)]}


@pytest.fixture
def prometheus(settings: Any) -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.PROMETHEUS_URL = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.delete(memory.KEY)


@pytest.fixture
def silence(prometheus: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Prometheus answers nothing from then on, and nobody waits for it for long."""

    def silence() -> None:
        prometheus.slow = [""]
        monkeypatch.setattr(status, "PROMETHEUS_SECONDS", 0.2)

    return silence


def page(browser: Client) -> str:
    response = browser.get("/status/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
def test_strangers_are_sent_to_the_login(client: Client) -> None:
    response = client.get("/status/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.django_db
def test_the_last_hour_comes_from_prometheus(browser: Client, prometheus: Server) -> None:
    text = page(browser)
    assert "from Prometheus, all servers" in text
    paths = re.findall(r'class="stroke s1" d="(M[^"]+)"', text)
    assert len([path for path in paths if path != "M0 4H18"]) == 8  # a line in each chart
    assert not [path for path in paths if "nan" in path]
    assert "mail <strong>250 ms</strong>" in text
    assert "node_1 <strong>250 ms</strong>" in text
    assert "<dd>1,234</dd>" in text
    assert len(prometheus.asked) > 10


@pytest.mark.django_db
def test_what_is_wrong_is_said_with_the_way_to_the_remedy(
    browser: Client, prometheus: Server
) -> None:
    text = page(browser)
    assert "does not answer</span>" in text
    assert "A node does not answer &lt;now&gt;." in text
    assert 'href="https://example.com/NodeDown.md"' in text
    assert "since 12:34" in text
    assert "ApiSlow" not in text  # it is not firing yet


@pytest.mark.django_db
def test_without_prometheus_the_server_shows_its_own_figures(
    browser: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROMETHEUS_URL = ""
    monkeypatch.setattr(own_figures, "server", lambda: "tests")
    old = {"requests": 1.0, "errors": 0.0, "asked": 0.0, "hits": 0.0, "le +Inf": 1.0}
    cache.set("monitoring:points:tests", [(time.time() - 60, old)])
    text = page(browser)
    assert "from app server tests alone" in text
    assert "No Prometheus watches this stack" in text
    assert "<h2>Requests</h2>" in text
    assert "<h2>Queues" not in text  # nobody has kept what they were
    assert "Events waiting" in text  # but how things stand is read
    assert len(cache.get("monitoring:points:tests")) == 2


@pytest.mark.django_db
def test_a_prometheus_that_is_gone_does_not_take_the_page_with_it(
    browser: Client, settings: Any
) -> None:
    settings.PROMETHEUS_URL = "http://127.0.0.1:1"
    text = page(browser)
    assert "Prometheus does not answer." in text
    assert "<h2>Requests</h2>" in text


@pytest.mark.django_db
def test_a_slow_question_hides_neither_the_alerts_nor_the_other_panels(
    browser: Client, prometheus: Server
) -> None:
    prometheus.slow = ["shardmart_task_wait_seconds", "job%3D%22cluster"]
    text = page(browser)
    assert "A node does not answer &lt;now&gt;." in text
    assert text.index("<strong>NodeDown</strong>") < text.index("The last hour")
    assert "Prometheus answered 10 of 13 questions in time." in text
    assert text.count("Not answered in time.") == 1
    assert "mail <strong>250 ms</strong>" not in text
    assert "node_1 <strong>250 ms</strong>" in text


@pytest.mark.django_db
def test_what_is_not_answered_now_is_shown_as_it_was_with_its_moment(
    browser: Client, silence: Callable[[], None]
) -> None:
    page(browser)
    silence()
    text = page(browser)
    assert "Prometheus does not answer." in text
    assert re.search(r"does not say which alerts fire. At \d\d:\d\d it said:", text)
    assert "A node does not answer &lt;now&gt;." in text
    assert len(re.findall(r'<span class="old">of \d\d:\d\d</span>', text)) == 9  # and the nodes
    assert "mail <strong>250 ms</strong>" in text
    assert "<dd>1,234</dd>" in text


@pytest.mark.django_db
def test_an_answer_of_long_ago_is_not_shown(
    browser: Client, silence: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    page(browser)
    silence()
    monkeypatch.setattr(memory, "KEPT", -60.0)
    text = page(browser)
    assert "It is not known which alerts fire" in text
    assert "alone" in text


@pytest.mark.django_db
def test_nobody_waits_for_what_is_late(
    browser: Client, prometheus: Server, silence: Callable[[], None]
) -> None:
    """The slow ones hang until the test has ended: the page came without them."""
    silence()
    text = page(browser)
    assert not prometheus.over.is_set()
    assert "It is not known which alerts fire" in text
    assert "<h2>Requests</h2>" in text


@pytest.mark.django_db
def test_all_questions_go_through_one_client(browser: Client, prometheus: Server) -> None:
    page(browser)
    page(browser)
    assert len(prometheus.asked) == 26
    assert http_client.cache_info().misses == 1


@pytest.mark.django_db
def test_the_page_has_neither_inline_style_nor_script(browser: Client, prometheus: Server) -> None:
    text = page(browser)
    assert not re.search(r"<style|style=|<script(?! src)|\bon\w+=", text)
