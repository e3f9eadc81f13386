"""The exporter of the poolers, where there is none to ask. tests/monitoring asks real ones."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import httpx
import pytest

from monitoring.pgbouncer_exporter import handler

GONE = "host=127.0.0.1 port=1 user=shardmart_monitor"


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler({"worker1": GONE}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_pooler_that_does_not_answer_is_down_and_the_exporter_is_not(address: str) -> None:
    answer = httpx.get(f"{address}/metrics/worker1")
    assert answer.status_code == 200
    assert "pgbouncer_up 0.0" in answer.text
    assert "pgbouncer_pools" not in answer.text


def test_a_pooler_that_is_not_known_is_not_found(address: str) -> None:
    assert httpx.get(f"{address}/metrics/worker2").status_code == 404
    assert httpx.get(f"{address}/metrics").status_code == 404


def test_the_first_page_names_the_poolers(address: str) -> None:
    assert httpx.get(address).text == "worker1\n"
