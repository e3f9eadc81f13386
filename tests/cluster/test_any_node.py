"""Any node can answer: the same journey through the coordinator and through each worker."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.core.idempotency import Answer, InProgress, run_once
from shop.inventory.selectors import available
from tests.cluster.conftest import through
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db(transaction=True)

Nodes = list[tuple[str, int]]


@pytest.mark.parametrize("number", [0, 1])
def test_an_order_is_placed_through_a_worker(
    number: int,
    ana: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    workers: Nodes,
) -> None:
    products = [make_product(f"Book {n}", stock=5) for n in range(3)]
    client = as_user(ana)
    with through(*workers[number]):
        for product in products:
            added = client.post("/api/cart/items/", {"product_id": product.id, "quantity": 2})
            assert added.status_code == 201, added.data
        placed = client.post(
            "/api/orders/", {"payment_method": "card"}, headers={"Idempotency-Key": "k"}
        )
        assert placed.status_code == 201, placed.data
        assert client.get(f"/api/orders/{placed.data['id']}/").data == placed.data
    assert [available(product.id) for product in products] == [3, 3, 3]


def test_a_retry_through_another_node_is_turned_away_while_the_first_still_runs(
    ana: User, workers: Nodes
) -> None:
    """The key's lock is taken on the node that holds the user's shard, whichever node is asked."""

    def retry_elsewhere() -> Answer:
        for worker in workers:
            with through(*worker), pytest.raises(InProgress):
                run_once(user_id=ana.id, key="k", fingerprint="f", work=lambda: Answer(500, {}))
        return Answer(201, {"first": True})

    answer = run_once(user_id=ana.id, key="k", fingerprint="f", work=retry_elsewhere)
    assert answer == Answer(201, {"first": True})
    replayed = run_once(user_id=ana.id, key="k", fingerprint="f", work=lambda: Answer(500, {}))
    assert replayed == Answer(201, {"first": True}, replayed=True)
