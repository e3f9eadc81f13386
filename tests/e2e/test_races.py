"""What must hold when many ask at once: nothing oversold, doubled or lost."""

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.conftest import PASSWORD, at_once

NewUser = Callable[[], httpx.Client]
NewProduct = Callable[[int], int]
Rows = Callable[..., list[Any]]

ORDER = {"payment_method": "card", "payment_token": "tok_success"}


def _place(client: httpx.Client, key: str) -> httpx.Response:
    return client.post("/api/orders/", json=ORDER, headers={"Idempotency-Key": key})


def _put(client: httpx.Client, product: int, quantity: int = 1) -> httpx.Response:
    return client.post("/api/cart/items/", json={"product_id": product, "quantity": quantity})


def test_64_buyers_of_10_units_place_exactly_10_orders(
    new_user: NewUser, new_product: NewProduct, rows: Rows, sam: httpx.Client
) -> None:
    product = new_product(10)
    buyers = at_once(lambda _: new_user(), 64)
    for buyer in buyers:
        assert _put(buyer, product).status_code == 201

    answers = at_once(lambda n: _place(buyers[n], "the only one"), 64)

    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 54}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {problem["code"] for problem in refused} == {"insufficient_stock"}
    assert refused[0]["lines"] == [{"product_id": product, "requested": 1, "available": 0}]
    assert sam.get(f"/api/products/{product}/stock/").json()["available"] == 0
    sold = "SELECT sum(quantity) FROM orders_orderitem WHERE product_id = %s"
    assert rows(sold, product) == [(10,)]
    ledger = "SELECT sum(delta) FROM inventory_stockmovement WHERE product_id = %s"
    assert rows(ledger, product) == [(0,)]


def test_one_order_sent_20_times_at_once_is_placed_once(
    new_user: NewUser, new_product: NewProduct, rows: Rows
) -> None:
    product = new_product(100)
    ana = new_user()
    _put(ana, product, 2)

    answers = at_once(lambda _: _place(ana, "same"), 20)

    placed = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code != 201]
    assert placed
    assert len({answer.text for answer in placed}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in placed) == 1
    for answer in waiting:
        assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
        assert int(answer.headers["Retry-After"]) >= 1
    order = placed[0].json()
    assert len(ana.get("/api/orders/").json()["results"]) == 1
    taken = "SELECT sum(delta) FROM inventory_stockmovement WHERE order_id = %s"
    assert rows(taken, order["id"]) == [(-2,)]
    again = _place(ana, "same")
    assert (again.status_code, again.text) == (201, placed[0].text)


def test_a_key_is_bound_to_its_request(new_user: NewUser, new_product: NewProduct) -> None:
    product = new_product(5)
    ana = new_user()
    _put(ana, product)
    assert _place(ana, "mine").status_code == 201
    other = {"payment_method": "paypal"}
    answer = ana.post("/api/orders/", json=other, headers={"Idempotency-Key": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_two_orders_of_one_cart_under_two_keys_make_one_order(
    new_user: NewUser, new_product: NewProduct
) -> None:
    product = new_product(10)
    ana = new_user()
    _put(ana, product)
    answers = at_once(lambda n: _place(ana, f"key {n}"), 8)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"cart_empty"}


def test_orders_of_the_same_products_in_any_order_never_block_each_other_for_good(
    new_user: NewUser, new_product: NewProduct, rows: Rows
) -> None:
    products = [new_product(1000) for _ in range(4)]
    buyers = [new_user() for _ in range(12)]
    for number, buyer in enumerate(buyers):
        for product in products if number % 2 else reversed(products):
            _put(buyer, product)
    answers = at_once(lambda n: _place(buyers[n], "one"), len(buyers))
    assert {answer.status_code for answer in answers} == {201}
    for product in products:
        left = "SELECT available FROM inventory_stock WHERE product_id = %s"
        assert rows(left, product) == [(1000 - len(buyers),)]


def test_two_carts_filled_by_8_threads_lose_no_line(
    new_user: NewUser, new_product: NewProduct
) -> None:
    products = [new_product(0) for _ in range(4)]
    ana, bo = new_user(), new_user()

    def fill(number: int) -> list[int]:
        cart = (ana, bo)[number % 2]
        return [_put(cart, product).status_code for product in products for _ in range(5)]

    statuses = at_once(fill, 8)

    assert {status for thread in statuses for status in thread} == {201}
    for cart in (ana, bo):
        lines = cart.get("/api/cart/").json()["items"]
        assert {line["product_id"]: line["quantity"] for line in lines} == dict.fromkeys(
            products, 4 * 5
        )


def test_a_line_added_while_the_cart_is_ordered_is_in_the_order_or_in_the_next_cart(
    new_user: NewUser, new_product: NewProduct
) -> None:
    products = [new_product(100) for _ in range(6)]
    ana = new_user()
    _put(ana, products[0])

    def act(number: int) -> httpx.Response:
        return _place(ana, "mid-way") if number == 3 else _put(ana, products[number % 6])

    answers = at_once(act, 8)

    added = Counter(products[n % 6] for n in range(8) if n != 3) + Counter([products[0]])
    assert answers[3].status_code == 201, answers[3].text
    kept: Counter[int] = Counter()
    for line in [*answers[3].json()["items"], *ana.get("/api/cart/").json()["items"]]:
        kept[line["product_id"]] += line["quantity"]
    assert kept == added


def test_one_address_registered_20_times_at_once_belongs_to_one_user(
    http: httpx.Client, rows: Rows
) -> None:
    tag = secrets.token_hex(8)
    email = f"Ana-{tag}@example.com"

    def register(number: int) -> httpx.Response:
        body = {"username": f"ana-{tag}-{number}", "email": email, "password": PASSWORD}
        return http.post("/api/auth/register/", json=body)

    answers = at_once(register, 20)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    taken = {answer.json()["field"] for answer in answers if answer.status_code == 409}
    assert taken == {"email"}
    assert rows("SELECT count(*) FROM accounts_user WHERE email = %s", email) == [(1,)]
    claimed = "SELECT count(*) FROM accounts_identity WHERE value LIKE %s"
    assert rows(claimed, f"username:ana-{tag}-%") == [(1,)]
