"""One id leads through all logs: what somebody asked, what followed, which SQL was slow."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from shop.config.environment import load
from tests.native import native

WRITTEN_WITHIN = 30.0  # seconds; an access line is there in a quarter of one
HELD = 0.8  # seconds; PostgreSQL logs statements from half a second on


@pytest.fixture
@native("reads the log files of the local stack")
def log(url: str) -> Callable[[str, str], list[str]]:
    """Return the lines with a word in the logs of some programs, as soon as there are any."""
    directory = Path(load().required("RUN_DIR")) / "log"

    def lines(programs: str, word: str) -> list[str]:
        deadline = time.monotonic() + WRITTEN_WITHIN
        while True:
            found = [
                line
                for path in sorted(directory.glob(programs))
                for line in path.read_text(errors="replace").splitlines()
                if word in line
            ]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    return lines


def test_an_order_is_followed_by_its_id_from_the_server_to_the_workers(
    log: Callable[[str, str], list[str]],
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
) -> None:
    buyer, own = new_user(), f"order-{secrets.token_hex(8)}"
    added = {"product_id": new_product(1), "quantity": 1}
    assert buyer.post("/api/cart/items/", json=added).status_code == 201
    paid = {"payment_method": "card", "payment_token": "tok_success"}
    headers = {"Idempotency-Key": own, "X-Request-ID": own}
    answer = buyer.post("/api/orders/", json=paid, headers=headers)
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (201, own)

    (access,) = [fields for line in log("app*.log", own) if (fields := json.loads(line))]
    assert (access["route"], access["status"]) == ("/api/orders/", 201)
    for program, task in (
        ("worker-critical.log", "checkout.charge_order"),
        ("worker-mail.log", "notifications.confirm_order"),
    ):
        done = [json.loads(line) for line in log(program, own)]
        assert task in {fields.get("task") for fields in done}
    everything = "".join([*log("app*.log", own), *log("worker*.log", own)])
    assert "tok_success" not in everything
    assert "@example.com" not in everything


def test_a_slow_statement_in_the_log_of_postgresql_names_its_request(
    log: Callable[[str, str], list[str]],
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
) -> None:
    buyer, own = new_user(), f"slow-{secrets.token_hex(8)}"
    added = {"product_id": new_product(5), "quantity": 1}
    assert buyer.post("/api/cart/items/", json=added).status_code == 201
    user_id = buyer.get("/api/users/me/").json()["id"]
    held = threading.Event()
    holder = threading.Thread(target=_hold_cart, args=(user_id, held))
    holder.start()
    assert held.wait(30)
    answer = buyer.post("/api/cart/items/", json=added, headers={"X-Request-ID": own})
    holder.join()
    assert answer.status_code in {200, 201}, answer.text

    (statement, *_) = log("postgres-*.log", own)
    assert f"/*request_id='{own}',route='/api/cart/items/'*/" in statement
    slow = [json.loads(line) for line in log("app*.log", own) if "slow request" in line]
    assert slow[0]["queries"][0]["ms"] >= 500
    assert user_id not in json.dumps(slow)


def _hold_cart(user_id: Any, held: threading.Event) -> None:
    """Keep a user's cart and its lines locked for a moment, as another request would."""
    connection = psycopg2.connect(load().required("DATABASE_DIRECT_URL"))
    try:
        with connection, connection.cursor() as cursor:
            for table in ("carts_shoppingcart", "carts_cartitem"):
                cursor.execute(f"SELECT 1 FROM {table} WHERE user_id = %s FOR UPDATE", [user_id])
            held.set()
            time.sleep(HELD)
    finally:
        connection.close()
