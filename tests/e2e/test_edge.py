"""Nobody is ever shown what was made for somebody else, whatever stands in front of the app."""

import re
import secrets
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from db.local import haproxy
from tests.e2e.conftest import at_once, manage
from tests.e2e.stack import layout
from tests.edge import nginx

ROUNDS = 15
SEEN_WITHIN = 10.0  # seconds; docs/load_balancing.md says one, and this machine may be busy


@pytest.fixture(
    scope="module",
    params=["haproxy", pytest.param("nginx", marks=pytest.mark.native("starts nginx"))],
)
def front(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    """The address of the stack's HAProxy, and of an nginx before the same app servers."""
    if request.param == "haproxy":
        yield url
        return
    table = haproxy.ask(layout(), "show servers state app")
    servers = re.findall(r"^\d+ app \d+ app\d+ (\S+) (?:\S+ ){13}(\d+) ", table, re.MULTILINE)
    with nginx([f"{address}:{port}" for address, port in servers]) as running:
        yield running.url


def test_answers_never_leak_from_one_caller_to_another(
    front: str,
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
    sam: httpx.Client,
) -> None:
    product = new_product(100)
    ana, bo = new_user(), new_user()
    for buyer, quantity in ((ana, 1), (bo, 2)):
        added = {"product_id": product, "quantity": quantity}
        assert buyer.post("/api/cart/items/", json=added).status_code == 201
    tokens = [client.headers["Authorization"] for client in (ana, bo, sam)]
    owners = [client.get("/api/users/me/").json()["username"] for client in (ana, bo, sam)]
    carts = [client.get("/api/cart/").json()["id"] for client in (ana, bo)]

    def ask(number: int) -> list[str]:
        who = number % 4
        headers = {"Authorization": tokens[who]} if who < 3 else {}
        wrong = []
        with httpx.Client(base_url=front, headers=headers, timeout=60) as client:
            for _ in range(ROUNDS):
                wrong += _wrong(client, product, owners[who] if who < 3 else "")
                if who < 2 and client.get("/api/cart/").json()["id"] != carts[who]:
                    wrong.append(f"{owners[who]} was shown another cart")
        return wrong

    assert [wrong for answers in at_once(ask, 8) for wrong in answers] == []


def _wrong(client: httpx.Client, product: int, owner: str) -> list[str]:
    """Return what one caller was shown that is not for them."""
    found = []
    for path in ("/api/products/", f"/api/products/{product}/", "/api/categories/"):
        answer = client.get(path)
        kept = answer.headers.get("Cache-Control", "")
        if answer.status_code != 200:
            found.append(f"{path}: {answer.status_code}")
        if owner and ("Age" in answer.headers or "private" not in kept):
            found.append(f"{owner} was answered for everybody at {path}: {kept}")
        if not owner and "private" in kept:
            found.append(f"anybody was answered as somebody at {path}")
    me, orders = client.get("/api/users/me/"), client.get("/api/orders/")
    if owner and me.json()["username"] != owner:
        found.append(f"{owner} was shown {me.text}")
    if not owner and (me.status_code, orders.status_code) != (401, 401):
        found.append(f"anybody was shown {me.text} {orders.text}")
    return found


def test_a_new_price_is_seen_by_staff_at_once_and_by_everybody_soon(
    front: str, sam: httpx.Client, new_product: Callable[[int], int]
) -> None:
    path = f"/api/products/{new_product(1)}/"
    token = {"Authorization": sam.headers["Authorization"]}
    with httpx.Client(base_url=front, timeout=60) as client:
        for price in ("11.00", "12.00", "13.00"):
            client.get(path)  # so that there is something old to be kept
            assert sam.patch(path, json={"price": price}).status_code == 200
            assert client.get(path, headers=token).json()["price"] == price
            deadline = time.monotonic() + SEEN_WITHIN
            while client.get(path).json()["price"] != price:
                assert time.monotonic() < deadline, f"{price} is not seen"
                time.sleep(0.1)


def test_a_customer_buys_through_it(front: str) -> None:
    assert "The whole journey succeeded" in manage("smoke", f"--url={front}")


def test_haproxy_answers_the_catalog_by_itself(url: str) -> None:
    """An answer that HAProxy kept says its Age; within a few tries there is one."""
    path = f"{url}/api/products/?page_size={secrets.randbelow(50) + 20}"
    answers = [httpx.get(path, timeout=30) for _ in range(30)]
    assert any("Age" in answer.headers for answer in answers), answers[-1].headers
