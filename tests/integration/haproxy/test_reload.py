"""HAProxy takes a new configuration without anybody noticing."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.edge import App, Edge, wait_until


def reload(edge: Edge) -> None:
    """Reload as the runbook says, and wait until a new process answers."""
    before = _worker(edge)
    edge.process.send_signal(signal.SIGUSR2)

    def is_new() -> bool:
        try:
            return _worker(edge) != before
        except OSError:
            return False

    wait_until(is_new, edge.log)


def _worker(edge: Edge) -> str:
    return next(line for line in edge.ask("show info").splitlines() if line.startswith("Pid: "))


def test_a_request_that_is_under_way_is_answered(edge: Edge, apps: list[App]) -> None:
    with ThreadPoolExecutor() as pool:
        held = pool.submit(httpx.get, f"{edge.url}/api/held/", timeout=30)
        wait_until(lambda: any(app.asked for app in apps), edge.log)
        reload(edge)
        assert httpx.get(f"{edge.url}/api/cart/").status_code == 200
        assert not held.done()
        for app in apps:
            app.release.set()
        assert held.result().status_code == 200


def test_a_connection_that_is_kept_open_takes_one_more_request(edge: Edge) -> None:
    with httpx.Client(base_url=edge.url) as client:
        client.get("/api/cart/")
        reload(edge)
        # A POST: no client would repeat it by itself.
        last = client.post("/api/users/", json={})
        assert (last.status_code, last.headers["Connection"]) == (200, "close")
        assert client.post("/api/users/", json={}).status_code == 200


def test_no_request_fails_while_it_is_reloaded_again_and_again(edge: Edge) -> None:
    stop, failures, sent = threading.Event(), [], []

    def ask(number: int) -> None:
        with httpx.Client(base_url=edge.url, timeout=30) as client:
            while not stop.is_set():
                try:
                    status = client.request("GET" if number % 2 else "POST", "/api/x/").status_code
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                else:
                    sent.append(status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        reload(edge)
        seen = len(sent)
        wait_until(lambda seen=seen: len(sent) > seen + 50 or bool(failures), edge.log)  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(sent) == {200}
