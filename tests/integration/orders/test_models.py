"""An order's states: what may follow what, and who wins a race."""

from itertools import product
from threading import Barrier

import pytest

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.errors import NotFound
from shop.core.states import InvalidTransition
from shop.orders.models import Order, OrderEvent
from shop.orders.services import create_order
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db

# As the design has it; the model's table is compared with this one, pair by pair.
ALLOWED = {
    ("pending", "paid"),
    ("paid", "shipped"),
    ("shipped", "delivered"),
    ("pending", "cancelled"),
    ("paid", "cancelled"),
    ("paid", "refunded"),
    ("shipped", "refunded"),
    ("delivered", "refunded"),
}
PAIRS = list(product(Order.Status.values, repeat=2))


def order_in(user: User, status: str) -> Order:
    order = create_order(user_id=user.id, order_id=new_id(), cart_id=new_id(), lines=[])
    Order.objects.for_user(user.id).filter(id=order.id).update(order_status=status)
    order.order_status = status
    return order


def history(order: Order) -> list[str]:
    events = OrderEvent.objects.for_user(order.user_id).filter(order_id=order.id)
    return list(events.order_by("id").values_list("status", flat=True))


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair in ALLOWED])
def test_an_order_moves_along_its_table_and_remembers_it(
    ana: User, before: str, after: str
) -> None:
    order = order_in(ana, before)
    since = order.updated_at
    order.become(after, by="somebody")
    stored = Order.objects.for_user(ana.id).get(id=order.id)
    assert stored.order_status == order.order_status == after
    assert stored.updated_at == order.updated_at > since
    assert history(order) == ["pending", after]
    last = OrderEvent.objects.for_user(ana.id).filter(order_id=order.id).order_by("id").last()
    assert last.details == {"by": "somebody"}


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair not in ALLOWED])
def test_an_order_moves_no_other_way(ana: User, before: str, after: str) -> None:
    order = order_in(ana, before)
    with pytest.raises(InvalidTransition) as caught:
        order.become(after)
    assert (caught.value.status, caught.value.code) == (409, "invalid_transition")
    assert caught.value.extra == {"from": before, "to": after}
    order.refresh_from_db()
    assert order.order_status == before
    assert history(order) == ["pending"]


def test_the_database_is_believed_and_not_what_was_read_before(ana: User) -> None:
    order = order_in(ana, "shipped")
    order.order_status = Order.Status.PENDING
    with pytest.raises(InvalidTransition) as caught:
        order.become("cancelled")
    assert caught.value.extra["from"] == "shipped"


def test_an_order_that_is_gone_changes_no_more(ana: User) -> None:
    order = order_in(ana, "pending")
    Order.objects.for_user(ana.id).delete()
    with pytest.raises(NotFound):
        order.become("paid")


def test_a_change_of_one_order_leaves_the_others(ana: User, bo: User) -> None:
    order, same_user, other_user = (order_in(user, "pending") for user in (ana, ana, bo))
    order.become("paid")
    for other in (same_user, other_user):
        other.refresh_from_db()
        assert other.order_status == "pending"


@pytest.mark.django_db(transaction=True)
def test_of_many_changes_at_once_one_happens(ana: User) -> None:
    order = order_in(ana, "paid")
    start = Barrier(8, timeout=PATIENCE)

    def change(status: str) -> bool:
        mine = Order.objects.for_user(ana.id).get(id=order.id)
        start.wait()
        try:
            mine.become(status)
        except InvalidTransition:
            return False
        return True

    works = [lambda status=status: change(status) for status in ["cancelled", "refunded"] * 4]
    with beside(*works) as changes:
        pass
    assert [done.result() for done in changes].count(True) == 1
    assert len(history(order)) == 2
