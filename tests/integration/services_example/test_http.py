"""What the services answer over HTTP."""

import json
from typing import Any

import pytest

from sharding.ids import new_id
from tests.integration.services_example.shop import Shop, client

KEY = {"Idempotency-Key": "01a203d9-85f9-7000-b0f0-1000c1fa8e21"}
ORDER = {"customer": "ana", "lines": {"1": 1}, "patience": 1}
LAMP = {"name": "Lamp", "price": "1.00", "available": 1}
HOLD = {"lines": {"1": 1}, "hold": 1}


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/products", {}, LAMP | {"price": "NaN"}),
        ("/products", {}, LAMP | {"price": "1.001"}),
        ("/products", {}, LAMP | {"name": "\0"}),
        ("/products", {}, LAMP | {"available": -1}),
        ("/products", {}, []),
        ("/products", {}, "no JSON"),
        ("/reservations", {}, HOLD),
        ("/reservations", KEY, HOLD | {"lines": {}}),
        ("/reservations", KEY, HOLD | {"lines": {"1": True}}),
        ("/reservations", KEY, HOLD | {"lines": {"x": 1}}),
        ("/reservations", KEY, HOLD | {"hold": -1}),
        ("/orders", {}, ORDER),
        ("/orders", KEY, ORDER | {"customer": "nobody"}),
        ("/orders", KEY, ORDER | {"lines": {"99": 1}}),
        ("/orders", KEY, ORDER | {"lines": [1]}),
        ("/customers", {}, {"name": "bo", "balance": "-1"}),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shop: Shop, path: str, headers: dict[str, str], body: Any
) -> None:
    with client(shop) as asking:
        content = body if body == "no JSON" else json.dumps(body)
        answer = asking.post(path, content=content, headers=headers)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})


def test_an_order_is_shown_with_what_products_adds_or_without(shop: Shop) -> None:
    with client(shop) as asking:
        shop.near.available = lambda: {shop.lamp: shop.left()}  # type: ignore[attr-defined]
        placed = asking.post("/orders", json=ORDER | {"lines": {str(shop.lamp): 2}}, headers=KEY)
        assert (placed.status_code, placed.json()["status"]) == (201, "confirmed")
        path = f"/orders/{placed.json()['id']}"
        assert asking.get(path).json()["available"] == {str(shop.lamp): 8}
        shop.near.available = lambda: None  # type: ignore[attr-defined]
        assert asking.get(path).json()["available"] is None
        again = asking.post("/orders", json=ORDER | {"lines": {str(shop.lamp): 3}}, headers=KEY)
        assert again.status_code == 422
        assert asking.get(f"/orders/{new_id()}").status_code == 404
