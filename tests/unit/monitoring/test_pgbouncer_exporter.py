"""The exporter of the poolers, where there is none to ask. tests/monitoring asks real ones."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from monitoring.pgbouncer_exporter import handler, known_from

GONE = "host=127.0.0.1 port=1 user=shardmart_monitor"


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(lambda: {"worker1": GONE}))
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


def test_poolers_come_from_the_environment_or_from_a_file_that_is_read_again(
    tmp_path: Path,
) -> None:
    given = {"POOLERS": "a=host=a port=1;b=host=b port=2"}
    assert known_from(given)() == {"a": "host=a port=1", "b": "host=b port=2"}
    file = tmp_path / "poolers"
    known = known_from({"POOLERS_FILE": str(file)})
    assert known() == {}
    file.write_text("a=host=a port=1\n")
    assert known() == {"a": "host=a port=1"}
    file.write_text("a=host=a port=1\nc=host=c port=3\n")
    assert known() == {"a": "host=a port=1", "c": "host=c port=3"}
