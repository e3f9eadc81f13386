"""Servers are taken out of HAProxy and given back without anybody noticing."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from db.balancer import draining, runtime
from tests.edge import App, Edge, wait_until

SLOW = 8.0  # seconds: above two health checks that are not answered (`timeout check`, `fall 2`)


def socket_of(edge: Edge) -> Path:
    return Path(edge.variables["RUNTIME_SOCKET"])


def test_a_drained_server_ends_what_it_has_and_gets_nothing_new(
    edge: Edge, apps: list[App]
) -> None:
    with ThreadPoolExecutor() as pool:
        held = pool.submit(httpx.get, f"{edge.url}/api/held/", timeout=30)
        wait_until(lambda: any(app.asked for app in apps), edge.log)
        busy, idle = sorted(apps, key=lambda app: not app.asked)
        drained = pool.submit(draining.drain, socket_of(edge), busy.name)
        wait_until(lambda: not runtime.servers(socket_of(edge))[busy.name].is_up, edge.log)
        assert httpx.get(f"{edge.url}/api/cart/").json()["server"] == idle.name
        assert not drained.done()
        busy.release.set()
        assert drained.result() is True
        assert held.result().status_code == 200


def test_who_does_not_end_in_time_is_told_of(edge: Edge, apps: list[App]) -> None:
    with ThreadPoolExecutor() as pool:
        held = pool.submit(httpx.get, f"{edge.url}/api/held/", timeout=30)
        wait_until(lambda: any(app.asked for app in apps), edge.log)
        busy = next(app for app in apps if app.asked)
        assert draining.drain(socket_of(edge), busy.name, within=0.2) is False
        busy.release.set()
        assert held.result().status_code == 200


def test_the_only_server_is_not_drained(edge: Edge) -> None:
    draining.drain(socket_of(edge), "app1")
    with pytest.raises(runtime.BalancerError, match="app2 is the only app server that answers"):
        draining.drain(socket_of(edge), "app2")
    assert runtime.servers(socket_of(edge))["app2"].is_up


def test_who_is_interrupted_gives_the_server_back(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(draining, "wait_until", interrupt)
    with pytest.raises(KeyboardInterrupt):
        draining.drain(socket_of(edge), "app1")
    wait_until(lambda: runtime.servers(socket_of(edge))["app1"].is_up, edge.log)


def test_the_last_one_left_is_kept_however_slow_and_judged_again_afterwards(
    edge: Edge, apps: list[App]
) -> None:
    """On a busy machine its health checks came too late, and everybody got a 503."""
    draining.drain(socket_of(edge), "app1")
    apps[1].shutdown()  # it accepts, and does not answer in time
    time.sleep(SLOW)
    assert runtime.servers(socket_of(edge))["app2"].is_up
    draining.give_back(socket_of(edge), "app1")
    assert runtime.servers(socket_of(edge))["app1"].is_up
    wait_until(lambda: not runtime.servers(socket_of(edge))["app2"].is_up, edge.log)


def test_a_server_that_does_not_come_back_is_not_called_warm(edge: Edge) -> None:
    runtime.set_state(socket_of(edge), "app1", "maint")
    assert draining.wait_until_warm(socket_of(edge), "app1", within=0.2) is False


# The program that a deployment runs in a container.


def balancer(edge: Edge, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "db.balancer", "--socket", str(socket_of(edge)), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_drains_and_gives_back(edge: Edge) -> None:
    assert balancer(edge, "drain", "app1").stdout == "app1 has no requests any more\n"
    shown = json.loads(balancer(edge, "show").stdout)
    assert shown["servers"]["app1"]["status"] == "DRAIN"
    assert shown["pid"] == runtime.process_id(socket_of(edge))
    back = balancer(edge, "ready", "app1")
    assert (back.returncode, back.stderr) == (0, "")
    assert runtime.servers(socket_of(edge))["app1"].is_up


def test_who_asks_most_is_listed(edge: Edge) -> None:
    httpx.get(f"{edge.url}/api/cart/")
    told = balancer(edge, "addresses")
    assert told.returncode == 0
    assert "127.0.0.1" in told.stdout
    assert "http_req_rate(10000)=1" in told.stdout


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["drain", "app9"], 1, "HAProxy knows no server app9, only app1, app2."),
        (["ready", "app9"], 1, "HAProxy does not set app9 to ready: No such server."),
        (["drain"], 2, "drain and ready need the name of a server"),
        (["show", "app1"], 2, "the others take none"),
        (["addresses", "app1"], 2, "the others take none"),
        (["pause", "app1"], 2, "invalid choice: 'pause'"),
        (["--socket", "/nowhere/sock", "show"], 1, "HAProxy does not answer at /nowhere/sock"),
    ],
)
def test_what_the_program_cannot_do_it_says(
    edge: Edge, words: list[str], code: int, complaint: str
) -> None:
    done = balancer(edge, *words)
    assert done.returncode == code
    assert complaint in done.stderr


def test_no_request_fails_while_servers_are_taken_out_and_given_back(edge: Edge) -> None:
    stop, statuses = threading.Event(), []

    def ask() -> None:
        with httpx.Client(base_url=edge.url, timeout=30) as client:
            while not stop.is_set():
                statuses.append(client.post("/api/x/").status_code)

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask) for _ in range(4)]
        for name in ("app1", "app2"):
            assert draining.drain(socket_of(edge), name)
            enough = len(statuses) + 50
            wait_until(lambda enough=enough: len(statuses) > enough, edge.log)  # type: ignore[misc]
            draining.give_back(socket_of(edge), name)
            assert draining.wait_until_warm(socket_of(edge), name)
        stop.set()
        for client in clients:
            client.result()
    assert set(statuses) == {200}
