"""/status/ for staff: from a Prometheus, from one that is gone, and without any."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from shop.accounts.models import User
from shop.monitoring import own_figures
from tests.conftest import PASSWORD


class Handler(BaseHTTPRequestHandler):
    """Answers as Prometheus does: every line rises, one node is down, one alert fires."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append(asked.get("query", ""))  # type: ignore[attr-defined]
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
def prometheus(settings: Any) -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.PROMETHEUS_URL = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


@pytest.fixture
def browser(sam: User) -> Client:
    """Sam, logged in on the staff pages."""
    client = Client()
    client.post("/admin/login/", {"username": sam.username, "password": PASSWORD, "next": "/"})
    return client


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
def test_the_last_hour_comes_from_prometheus(browser: Client, prometheus: Any) -> None:
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
def test_what_is_wrong_is_said_with_the_way_to_the_remedy(browser: Client, prometheus: Any) -> None:
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
    from django.core.cache import cache

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
def test_the_page_has_neither_inline_style_nor_script(browser: Client, prometheus: Any) -> None:
    text = page(browser)
    assert not re.search(r"<style|style=|<script(?! src)|\bon\w+=", text)
