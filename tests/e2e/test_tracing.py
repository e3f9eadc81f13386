"""With a collector named, one trace leads from a request through its SQL to the tasks behind it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shop.config.broker import beside
from shop.config.environment import load

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STARTED_WITHIN = 60.0  # seconds


class Span(NamedTuple):
    """A span as the collector got it."""

    trace: str
    id: str
    parent: str
    name: str
    attributes: dict[str, Any]


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Span] = []

    def wait_for(self, wanted: Callable[[list[Span]], bool], seconds: float) -> list[Span]:
        """Return the spans as soon as they are as wanted, or when the time is over."""
        deadline = time.monotonic() + seconds
        while not wanted(self.spans) and time.monotonic() < deadline:
            time.sleep(0.1)
        return list(self.spans)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += [_span(one) for one in scope.spans]  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _span(one: Any) -> Span:
    attributes = {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in one.attributes
    }
    return Span(
        one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), one.name, attributes
    )


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def traced(url: str, collector: Collector, tmp_path: Path) -> Iterator[str]:
    """An app server and a worker of our own, beside the stack's, that are traced."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shop.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # milliseconds
        # A broker of their own: the stack's workers are not traced.
        "BROKER_URL": beside(load().required("REDIS_URL"), database=7),
        "APP_BIND": f"127.0.0.1:{_free_port()}",
        "APP_WORKERS": "1",
        "APP_THREADS": "2",
    }
    commands = [
        [
            BIN / "gunicorn",
            "-c",
            ROOT / "db/local/gunicorn_conf.py",
            "shop.config.wsgi:application",
        ],
        [
            *(BIN / "celery", "--app=shop.config.celery", "worker", "--concurrency=1"),
            *("--queues=critical,default,mail", "--without-gossip", "--without-mingle"),
        ],
    ]
    with (tmp_path / "log").open("w") as log:
        running = [
            subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
            for command in commands
        ]
    try:
        server = f"http://{environment['APP_BIND']}"
        _wait_until_ready(server)
        yield server
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)


def _free_port() -> int:
    with closing(socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until_ready(server: str) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while True:
        try:
            if httpx.get(f"{server}/health/ready", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, "the traced app server did not start"
        time.sleep(0.2)


def test_one_trace_leads_from_the_request_through_its_sql_to_its_tasks(
    traced: str,
    collector: Collector,
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
) -> None:
    product, buyer = new_product(1), new_user()
    added = {"product_id": product, "quantity": 1}
    assert buyer.post("/api/cart/items/", json=added).status_code == 201
    caller = "0af7651916cd43dd8448eb211c80319c"
    answer = httpx.post(
        f"{traced}/api/orders/",
        json={"payment_method": "card", "payment_token": "tok_success"},
        headers={
            "Authorization": buyer.headers["Authorization"],
            "Idempotency-Key": "one",
            "X-Request-ID": "traced-1",
            "traceparent": f"00-{caller}-b7ad6b7169203331-01",
        },
        timeout=60,
    )
    assert answer.status_code == 201, answer.text

    def whole(spans: list[Span]) -> bool:
        return any(span.name == "run/checkout.charge_order" for span in spans)

    spans = collector.wait_for(whole, STARTED_WITHIN)
    ours = {span.id: span for span in spans if span.trace == caller}

    def above(span: Span) -> Iterator[str]:
        while span.parent in ours:
            span = ours[span.parent]
            yield span.name

    (request,) = [span for span in ours.values() if span.name == "POST /api/orders/"]
    assert request.parent == "b7ad6b7169203331"
    assert request.attributes["http.route"] == "/api/orders/"
    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["shardmart.request_id"] == "traced-1"

    statements = [span for span in ours.values() if "shardmart.alias" in span.attributes]
    asked = [span for span in statements if "POST /api/orders/" in above(span)]
    assert len(asked) >= 10
    assert {"SELECT", "INSERT", "UPDATE"} <= {span.name for span in asked}
    assert all(span.attributes["server.port"] for span in asked)

    (task,) = [span for span in ours.values() if span.name == "run/checkout.charge_order"]
    assert "POST /api/orders/" in above(task)
    assert [span for span in statements if "run/checkout.charge_order" in above(span)]

    assert not [span for span in spans if span.name.startswith("LLEN") and not span.parent]
    everything = repr(spans)
    for secret in ("tok_success", "@example.com", buyer.headers["Authorization"][7:]):
        assert secret not in everything
