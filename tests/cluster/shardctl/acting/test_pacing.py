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
        body: dict[str, object] = {"data": {"result": []}}
        if self.path.startswith("/broken"):
            self.send_response(500)
            self.end_headers()
            return
        if self.path.startswith("/api/v1/query") and "up%7B" in self.path:
            self.send_response(400)
            self.end_headers()
            self.wfile.write(json.dumps({"error": "parse error"}).encode())
            return
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
    Application.p99s = ["0.9", "0.9", "NaN", "0.05"]
    events = _move(made, shardctl, "--max-p99", "300", "--prometheus", url)
    waits = [event for event in events if event["event"] == "waiting"]
    assert waits[0]["p99_ms"] == 900
    assert events[-1]["event"] == "move-finished"


def test_a_limit_without_a_source_is_a_usage_error(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("rebalance", "--max-p99", "300", *YES, dsn=made.dsn)
    assert answer.code == 2
    assert "--probe" in answer.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--prometheus", "http://127.0.0.1:9"], "Connection refused"),
        (["--probe", "http://127.0.0.1:9/"], "Connection refused"),
        (["--probe", "{url}/broken"], "answers 500"),
        (["--prometheus", "{url}", "--query", "up{{"], "400, parse error"),
    ],
)
def test_a_source_that_cannot_work_is_refused_before_anything_begins(
    made: Throwaway, shardctl: Shardctl, url: str, options: list[str], says: str
) -> None:
    words = [option.format(url=url) for option in options]
    answer = shardctl("rebalance", "--max-p99", "300", *words, *YES, dsn=made.dsn, format="json")
    assert (answer.code, answer.error["code"]) == (2, "invalid_input")
    assert says in answer.error["message"]


def test_a_run_that_waits_for_too_long_ends_and_jobs_tell_why(
    made: Throwaway, shardctl: Shardctl, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharding.moving.runner.WAIT_SECONDS", 0.05)
    Application.p99s = ["0.9"]
    shard = user_shard(made)
    answer = shardctl(
        "move", str(shard), "--to", other_worker(made, shard).address, *YES, "--max-p99", "300",
        "--prometheus", url, "--max-wait", "0.2", dsn=made.dsn, format="json",
    )  # fmt: skip
    assert (answer.code, answer.error["code"]) == (1, "waited_too_long")
    run = shardctl("jobs", dsn=made.dsn, format="json").data["runs"][0]
    assert run["outcome"] == "failed"
    assert "p99 900 ms (limit 300 ms)" in run["detail"]
    assert shardctl("stop", "--yes", dsn=made.dsn).code == 0


def test_a_prometheus_that_dies_meanwhile_lets_the_run_wait_and_say_why(
    made: Throwaway, shardctl: Shardctl, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharding.moving.runner.WAIT_SECONDS", 0.05)
    monkeypatch.setattr("sharding.moving.pacing.PROMETHEUS_SECONDS", 0.0)
    Application.p99s = ["0.9", "no number"]
    shard = user_shard(made)
    answer = shardctl(
        "move", str(shard), "--to", other_worker(made, shard).address, *YES, "--max-p99", "300",
        "--prometheus", url, "--max-wait", "0.3", dsn=made.dsn, format="json",
    )  # fmt: skip
    assert (answer.code, answer.error["code"]) == (1, "waited_too_long")
    assert "Prometheus does not say" in answer.error["message"]
