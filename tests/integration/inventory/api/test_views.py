"""The stock of a product, for staff, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product
from shop.inventory import services as inventory
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db


def move(client: APIClient, product: Product | int, key: str = "k", **body: Any) -> Any:
    """Send a movement of the stock; each test's first one under the key ``k``."""
    return client.post(url(product), body, headers={"Idempotency-Key": key})


def url(product: Product | int) -> str:
    return f"/api/products/{getattr(product, 'id', product)}/stock/"


@pytest.fixture
def staff(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def test_staff_see_what_is_there(staff: APIClient, make_product: MakeProduct) -> None:
    product, bare = make_product("a", stock=3), make_product("b")
    assert staff.get(url(product)).json() == {
        "product_id": product.id,
        "available": 3,
        "track_inventory": True,
    }
    assert staff.get(url(bare)).json() == {
        "product_id": bare.id,
        "available": 0,
        "track_inventory": True,
    }


def test_staff_add_and_take_off(staff: APIClient, make_product: MakeProduct) -> None:
    product = make_product()
    added = move(staff, product, delta=10, reason="receipt")
    assert (added.status_code, added.json()) == (
        201,
        {"product_id": product.id, "available": 10, "track_inventory": True},
    )
    taken = move(staff, product, "k2", delta=-4, reason="adjustment")
    assert (taken.status_code, taken.json()["available"]) == (201, 6)
    assert staff.get(f"/api/products/{product.id}/").json()["stock_quantity"] == 6
    assert drift() == []


def test_below_zero_is_a_conflict_that_names_the_line(
    staff: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(stock=3)
    response = move(staff, product, delta=-4, reason="adjustment")
    body = assert_problem(response, 409, "insufficient_stock")
    assert body["lines"] == [{"product_id": product.id, "requested": 4, "available": 3}]
    assert available(product.id) == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delta", 0),
        ("delta", None),
        ("delta", "x"),
        ("delta", 1.5),
        ("delta", 10**9 + 1),
        ("delta", -(10**9) - 1),
        ("delta", 2**63),
        ("delta", 10**30),
        ("reason", "order"),
        ("reason", "import"),
        ("reason", "theft"),
        ("reason", ""),
        ("reason", None),
        ("reason", []),
    ],
)
def test_an_unacceptable_field_is_named(
    staff: APIClient, make_product: MakeProduct, field: str, value: Any
) -> None:
    product = make_product()
    body = {"delta": 1, "reason": "receipt", field: value}
    assert invalid_fields(move(staff, product, **body)) == {field}
    assert available(product.id) == 0


def test_a_movement_without_a_key_is_refused(staff: APIClient, make_product: MakeProduct) -> None:
    product = make_product()
    response = staff.post(url(product), {"delta": 1, "reason": "receipt"})
    assert_problem(response, 400, "idempotency_key_missing")
    assert available(product.id) == 0


def test_a_movement_that_is_sent_again_moves_nothing(
    staff: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    first, again = (move(staff, product, delta=5, reason="receipt") for _ in range(2))
    assert again.content == first.content
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"] == again.headers["Location"] == url(product)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert available(product.id) == 5
    other = move(staff, product, delta=6, reason="receipt")
    assert_problem(other, 422, "idempotency_key_reused")
    assert drift() == []


def test_a_refused_movement_leaves_its_key_free(
    staff: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(stock=1)
    wanted: dict[str, Any] = {"delta": -2, "reason": "adjustment"}
    assert move(staff, product, **wanted).status_code == 409
    inventory.adjust(product_id=product.id, delta=1, reason="receipt")
    assert move(staff, product, **wanted).json()["available"] == 0


@pytest.mark.parametrize("number", [0, 999_999, 2**63])
def test_a_product_that_does_not_exist_is_not_found(staff: APIClient, number: int) -> None:
    assert_problem(staff.get(url(number)), 404, "not_found")
    assert_problem(move(staff, number, delta=1, reason="receipt"), 404, "not_found")


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_stock_is_for_staff_alone(
    client: APIClient,
    ana: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    method: str,
) -> None:
    product, body = make_product(stock=1), {"delta": 1, "reason": "receipt"}
    data = body if method == "post" else None
    assert_problem(getattr(client, method)(url(product), data), 401, "not_authenticated")
    assert_problem(getattr(as_user(ana), method)(url(product), data), 403, "permission_denied")
    assert available(product.id) == 1
