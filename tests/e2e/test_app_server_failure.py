"""An order that an app server dies over is placed once or not at all."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from shop.config.environment import load
from tests.e2e.conftest import at_once
from tests.native import native

BACK_WITHIN = 60.0  # seconds


@pytest.fixture
@native("stops and kills programs of the local stack")
def run_dir(url: str) -> Path:
    return Path(load().required("RUN_DIR"))


def test_orders_placed_while_an_app_server_dies_are_placed_once_or_not_at_all(
    url: str, run_dir: Path, new_user: Callable[[], httpx.Client], new_product: Callable[[int], int]
) -> None:
    """A client that repeats its order with the same key until it is answered gets one order."""
    product = new_product(1000)
    buyers = [new_user() for _ in range(8)]
    for buyer in buyers:
        added = {"product_id": product, "quantity": 1}
        assert buyer.post("/api/cart/items/", json=added).status_code == 201
    victim = _pid_of("app2", run_dir)

    def buy(number: int) -> dict[str, object]:
        if number == 0:
            os.killpg(os.getpgid(victim), signal.SIGKILL)
        return _insist(buyers[number])

    orders = at_once(buy, len(buyers))

    assert len({order["id"] for order in orders}) == len(buyers)
    for buyer, order in zip(buyers, orders, strict=True):
        mine = buyer.get("/api/orders/").json()["results"]
        assert [one["id"] for one in mine] == [order["id"]]
    _wait(lambda: _server_is_up("app2"), BACK_WITHIN, "not taken back in")


def _insist(buyer: httpx.Client) -> dict[str, object]:
    for _ in range(60):
        try:
            answer = buyer.post(
                "/api/orders/", json={"payment_method": "card"}, headers={"Idempotency-Key": "one"}
            )
        except httpx.TransportError:
            continue
        if answer.status_code == 201:
            return answer.json()
        time.sleep(0.5)
    pytest.fail(f"the order was never accepted: {answer.text}")


def _pid_of(program: str, run_dir: Path) -> int:
    """Return the process id of a program, as its keeper knows it; 0 while it is not running."""
    configuration = str(run_dir / "conf/supervisord.conf")
    supervisorctl = str(Path(sys.executable).parent / "supervisorctl")
    finished = subprocess.run(
        [supervisorctl, "-c", configuration, "pid", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return int(finished.stdout) if finished.stdout.strip().isdigit() else 0


def _server_is_up(server: str) -> bool:
    """Ask HAProxy whether it sends requests to this server."""
    table = httpx.get(f"{load().required('STATS_URL')}/;csv", timeout=10).text
    rows = csv.DictReader(table.lstrip("# ").splitlines())
    return any(row["svname"] == server and row["status"] == "UP" for row in rows)


def _wait(condition: Callable[[], bool], seconds: float, complaint: str) -> float:
    """Wait until the condition holds; return when it did."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{complaint} within {seconds} s")
        time.sleep(0.1)
    return time.monotonic()
