"""Shoppers for Locust: they browse, search, fill a cart, order, see it paid, and look back.

    make load                      # a minute of it, through HAProxy, with a table of the figures
    .venv-load/bin/locust --locustfile tests/load/locustfile.py --host http://127.0.0.1:8080

Locust lives in an environment of its own (requirements/load.in), so nothing of the shop is
imported. Each shopper registers first. One order in ten is paid by a card that is declined, and
paid again by another: that is the shop's answer to it, and no failure. "until paid" is the time
from the accepted order to the one that is read as paid; a task charges it meanwhile.
"""

from __future__ import annotations

import random
import secrets
import time
from contextlib import AbstractContextManager
from typing import Any

from locust import HttpUser, between, events, task
from locust.clients import ResponseContextManager
from locust.env import Environment
from locust.exception import StopUser

PASSWORD = "correct horse battery staple"
PATIENCE = 30.0  # seconds until an order has to be paid
TOKEN_LASTS = 600.0  # seconds; the shop's default is 15 minutes
DECLINED = 0.1  # of all orders, at first
CATALOG_PAGES = 5  # of 100 products, from which shoppers choose
SHORT = "insufficient_stock"

catalog: list[dict[str, Any]] = []


@events.test_start.add_listener
def read_the_catalog(environment: Environment, **_: Any) -> None:
    """Learn what is on sale; without products or an answer there is nothing to run."""
    import requests

    catalog.clear()
    url: str | None = f"{environment.host}/api/products/?in_stock=true&page_size=100"
    try:
        for _page in range(CATALOG_PAGES):
            if url:
                answer = requests.get(url, timeout=30)
                answer.raise_for_status()
                catalog.extend(answer.json()["results"])
                url = answer.json()["next"]
    except requests.RequestException as error:
        _give_up(environment, f"{environment.host} does not answer as a shop does: {error}")
    if not catalog:
        _give_up(environment, "Nothing is on sale: seed the shop first (src/manage.py seed).")


def _give_up(environment: Environment, reason: str) -> None:
    print(f"load: {reason}", flush=True)  # .github/scripts/load-test.sh looks for it
    environment.process_exit_code = 2
    if environment.runner:
        environment.runner.quit()


class Shopper(HttpUser):
    """One customer with an account of their own."""

    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        name = f"load-{secrets.token_hex(8)}"
        person = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        with self.send("POST", "/api/auth/register/", "register", json=person) as answer:
            if not answer.ok:
                raise StopUser
            self._keep(answer.json())

    @task(12)
    def look_at_a_product(self) -> None:
        self.client.get(f"/api/products/{self._some()['id']}/", name="product")

    @task(6)
    def browse(self) -> None:
        category = self._some()["category_id"]
        path = f"/api/products/?category={category}&ordering=price&page_size=20"
        self.client.get(path, name="products of a category")

    @task(3)
    def search(self) -> None:
        word = random.choice(self._some()["name"].split())
        self.client.get("/api/products/", params={"search": word}, name="search")

    @task(1)
    def look_at_the_categories(self) -> None:
        self.client.get("/api/categories/", name="categories")

    @task(3)
    def look_at_ones_orders(self) -> None:
        self.client.get("/api/orders/?page_size=10", name="my orders")

    @task(4)
    def buy(self) -> None:
        """Fill the cart, order it, and wait until it is paid."""
        self._renew_the_token()
        for product in random.sample(catalog, k=min(len(catalog), random.randint(1, 3))):
            line = {"product_id": product["id"], "quantity": 1}
            with self.send("POST", "/api/cart/items/", "add to cart", json=line) as answer:
                if not answer.ok:
                    return
        self.client.get("/api/cart/", name="cart")
        declined = random.random() < DECLINED
        order = self._order("tok_declined" if declined else "tok_success")
        if order:
            self._see_it_paid(order, pay_again=declined)

    def _order(self, token: str) -> str | None:
        """Order the cart; return the order's id, None when the stock did not suffice."""
        card = {"payment_method": "card", "payment_token": token}
        with self.send("POST", "/api/orders/", "order", json=card) as answer:
            if answer.ok:
                return str(answer.json()["id"])
            if answer.status_code == 409 and answer.json().get("code") == SHORT:
                answer.success()  # sold out while it lay in the cart
        self.client.delete("/api/cart/", name="empty the cart")
        return None

    def _see_it_paid(self, order: str, *, pay_again: bool) -> None:
        began, paid = time.monotonic(), False
        while not paid and time.monotonic() - began < PATIENCE:
            with self.send("GET", f"/api/orders/{order}/", "order, while it is paid") as answer:
                if not answer.ok:
                    return
                paid = answer.json()["order_status"] == "paid"
            if pay_again and not paid:
                pay_again = not self._paid_again(order)
            if not paid:
                time.sleep(0.3)
        self._waited(time.monotonic() - began, paid=paid)

    def _paid_again(self, order: str) -> bool:
        """Pay by another card, once the first is declined; tell whether that has come to be."""
        path, card = f"/api/orders/{order}/payments/", {"payment_method": "card"}
        with self.send("GET", path, "payments of an order") as answer:
            declined = answer.ok and all(each["status"] == "failed" for each in answer.json())
        if not declined:
            return False
        card["payment_token"] = "tok_success"
        with self.send("POST", path, "pay again", json=card) as answer:
            return answer.ok

    def _waited(self, seconds: float, *, paid: bool) -> None:
        """Keep the time beside those of the requests, not among them: it has no part in the sum."""
        entry = self.environment.stats.entries[("until paid", "WAIT")]
        entry.log(round(1000 * seconds), 0)
        if not paid:
            reason = TimeoutError(f"an order is not paid within {PATIENCE:g} s")
            self.environment.stats.log_error("WAIT", "until paid", reason)

    def send(
        self, method: str, path: str, name: str, **request: Any
    ) -> AbstractContextManager[ResponseContextManager]:
        """Send a request; each POST with a key of its own, so that a retry would be safe."""
        headers = {"Idempotency-Key": secrets.token_hex(8)} if method == "POST" else {}
        sent: AbstractContextManager[ResponseContextManager] = self.client.request(
            method, path, name=name, headers=headers, catch_response=True, **request
        )
        return sent

    def _renew_the_token(self) -> None:
        if time.monotonic() - self._issued > TOKEN_LASTS:
            pair = {"refresh": self._refresh}
            with self.send("POST", "/api/auth/refresh/", "refresh", json=pair) as answer:
                if answer.ok:
                    self._keep(answer.json())

    def _keep(self, tokens: dict[str, Any]) -> None:
        self._issued, self._refresh = time.monotonic(), tokens["refresh"]
        self.client.headers["Authorization"] = f"Bearer {tokens['access']}"

    @staticmethod
    def _some() -> dict[str, Any]:
        """A product, the first of them oftener than the last: shops sell so."""
        return catalog[int(len(catalog) * random.random() ** 2)]
