"""--max-p99: moves wait while the application is slow, and go on when it is not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.cluster.shardctl.acting.conftest import (
    YES,
    assert_clean,
    other_worker,
    quick_cluster,
    user_shard,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


class Application(BaseHTTPRequestHandler):
    """Answers after a delay; under /api/v1/query it plays Prometheus."""

    delay: ClassVar[float] = 0.0
    p99s: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        body = {"data": {"result": []}}
        if self.path.startswith("/api/v1/query"):
            value = self.p99s.pop(0) if len(self.p99s) > 1 else self.p99s[0]
            body = {"data": {"result": [{"value": [0, value]}]}}
        else:
            time.sleep(self.delay)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    with quick_cluster(workers=2) as cluster:
        yield cluster


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _move(made: Throwaway, shardctl: Shardctl, *options: str) -> list[dict[str, object]]:
    shard = user_shard(made)
    answer = shardctl(
        "move", str(shard), "--to", other_worker(made, shard).address, *YES, *options,
        dsn=made.dsn, format="json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert_clean(made)
    return [json.loads(line) for line in answer.err.splitlines()]


def test_a_move_waits_while_the_probe_is_slow(
    made: Throwaway, shardctl: Shardctl, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharding.moving.pacing.WINDOW_SECONDS", 3.0)
    monkeypatch.setattr("sharding.moving.pacing.ENOUGH", 3)
    Application.delay = 0.6

    def recover() -> None:
        Application.delay = 0.0

    timer = threading.Timer(4, recover)
    timer.start()
    events = _move(made, shardctl, "--max-p99", "300", "--probe", url)
    timer.join()
    waits = [event for event in events if event["event"] == "waiting"]
    assert any(event["p99_ms"] and event["p99_ms"] > 300 for event in waits)  # type: ignore[operator]
    names = [event["event"] for event in events]
    assert names.index("waiting") < names.index("move-started")


def test_a_move_waits_for_prometheus_as_well(
    made: Throwaway, shardctl: Shardctl, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharding.moving.pacing.PROMETHEUS_SECONDS", 0.1)
    Application.p99s = ["0.9", "NaN", "0.05"]
    events = _move(made, shardctl, "--max-p99", "300", "--prometheus", url)
    waits = [event for event in events if event["event"] == "waiting"]
    assert waits[0]["p99_ms"] == 900
    assert events[-1]["event"] == "move-finished"


def test_a_limit_without_a_source_is_a_usage_error(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("rebalance", "--max-p99", "300", *YES, dsn=made.dsn)
    assert answer.code == 2
    assert "--probe" in answer.err
