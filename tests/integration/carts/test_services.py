"""Filling and emptying a cart."""

from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from sharding.ids import new_id
from shop.accounts.models import User
from shop.carts import services
from shop.carts.errors import QuantityTooLarge
from shop.carts.models import MAX_QUANTITY, CartItem, ShoppingCart
from shop.carts.selectors import cart_of, items_of
from shop.core.errors import AccountClosed, NotFound, TooManyLines
from shop.core.purging import purge
from tests.conftest import MakeProduct
from tests.integration.core.concurrency import beside

pytestmark = pytest.mark.django_db


def lines(user: User) -> list[tuple[str, int]]:
    return [(item.product.name, item.quantity) for item in items_of(user.id)]


def test_a_cart_opens_with_its_first_line(ana: User, make_product: MakeProduct) -> None:
    assert cart_of(ana.id) is None
    product = make_product()
    item = services.add_item(user_id=ana.id, product_id=product.id, quantity=2)
    stored = CartItem.objects.for_user(ana.id).get()
    cart = cart_of(ana.id)
    assert cart is not None
    assert (stored.id, stored.cart_id, stored.quantity) == (item.id, cart.id, 2)
    assert (item.created_at, item.updated_at) == (stored.created_at, stored.updated_at)


def test_adding_a_product_twice_adds_up(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    first = services.add_item(user_id=ana.id, product_id=product.id, quantity=2)
    second = services.add_item(user_id=ana.id, product_id=product.id, quantity=3)
    assert (second.id, second.quantity) == (first.id, 5)
    assert second.created_at == first.created_at
    assert lines(ana) == [("A book", 5)]
    assert ShoppingCart.objects.for_user(ana.id).count() == 1


def test_lines_come_in_the_order_they_were_added(ana: User, make_product: MakeProduct) -> None:
    for name in ("c", "a", "b"):
        services.add_item(user_id=ana.id, product_id=make_product(name).id, quantity=1)
    assert [name for name, _ in lines(ana)] == ["c", "a", "b"]


def test_a_line_holds_its_greatest_quantity_and_no_more(
    ana: User, make_product: MakeProduct
) -> None:
    product = make_product()
    services.add_item(user_id=ana.id, product_id=product.id, quantity=MAX_QUANTITY)
    with pytest.raises(QuantityTooLarge, match=str(MAX_QUANTITY)):
        services.add_item(user_id=ana.id, product_id=product.id, quantity=1)
    assert lines(ana) == [("A book", MAX_QUANTITY)]


def test_a_refused_line_opens_no_cart(ana: User, make_product: MakeProduct) -> None:
    with pytest.raises(QuantityTooLarge):
        services.add_item(user_id=ana.id, product_id=make_product().id, quantity=MAX_QUANTITY + 1)
    assert cart_of(ana.id) is None


def test_a_product_that_does_not_exist_cannot_be_added(ana: User) -> None:
    with pytest.raises(NotFound, match="product"):
        services.add_item(user_id=ana.id, product_id=999_999, quantity=1)
    assert cart_of(ana.id) is None


def test_a_user_who_is_gone_has_no_cart(make_product: MakeProduct) -> None:
    product = make_product()
    with pytest.raises(AccountClosed):
        services.add_item(user_id=new_id(), product_id=product.id, quantity=1)


def test_setting_a_quantity_replaces_it(ana: User, make_product: MakeProduct) -> None:
    item = services.add_item(user_id=ana.id, product_id=make_product().id, quantity=5)
    changed = services.set_quantity(user_id=ana.id, item_id=item.id, quantity=2)
    assert changed.quantity == 2
    assert lines(ana) == [("A book", 2)]


def test_removing_a_line_leaves_the_others(ana: User, make_product: MakeProduct) -> None:
    items = [
        services.add_item(user_id=ana.id, product_id=make_product(name).id, quantity=1)
        for name in ("a", "b")
    ]
    services.remove_item(user_id=ana.id, item_id=items[0].id)
    assert lines(ana) == [("b", 1)]
    with pytest.raises(NotFound):
        services.remove_item(user_id=ana.id, item_id=items[0].id)


def test_emptying_removes_the_cart_with_its_lines_and_nobody_elses(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    product = make_product()
    for user in (ana, bo):
        services.add_item(user_id=user.id, product_id=product.id, quantity=1)
    services.empty(ana.id)
    services.empty(ana.id)
    assert (cart_of(ana.id), lines(ana)) == (None, [])
    assert lines(bo) == [("A book", 1)]


def test_a_line_of_another_user_can_neither_be_set_nor_removed(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    item = services.add_item(user_id=bo.id, product_id=make_product().id, quantity=1)
    with pytest.raises(NotFound):
        services.set_quantity(user_id=ana.id, item_id=item.id, quantity=9)
    with pytest.raises(NotFound):
        services.remove_item(user_id=ana.id, item_id=item.id)
    assert lines(bo) == [("A book", 1)]


def test_a_cart_holds_so_many_lines_and_no_more(
    ana: User, make_product: MakeProduct, settings: Any
) -> None:
    settings.MAX_LINES = 2
    first, second, third = (make_product(name).id for name in "abc")
    for product_id in (first, second, first):  # what is there already adds up
        services.add_item(user_id=ana.id, product_id=product_id, quantity=1)
    with pytest.raises(TooManyLines, match="2 lines at most"):
        services.add_item(user_id=ana.id, product_id=third, quantity=1)
    assert lines(ana) == [("a", 2), ("b", 1)]


@pytest.mark.django_db(transaction=True)
def test_eight_threads_fill_a_cart_to_its_last_line_and_not_beyond(
    ana: User, make_product: MakeProduct, settings: Any
) -> None:
    settings.MAX_LINES = 3
    products = [make_product(f"book {number}").id for number in range(8)]

    def add(product_id: int) -> None:
        services.add_item(user_id=ana.id, product_id=product_id, quantity=1)

    with beside(*[lambda pid=pid: add(pid) for pid in products]) as added:
        pass
    refused = [done for done in added if isinstance(done.exception(), TooManyLines)]
    assert (len(lines(ana)), len(refused)) == (3, 5)


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
def test_the_database_refuses_other_quantities(
    ana: User, make_product: MakeProduct, quantity: int
) -> None:
    item = services.add_item(user_id=ana.id, product_id=make_product().id, quantity=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        CartItem.objects.filter(pk=item.pk).update(quantity=quantity)


@pytest.mark.django_db(transaction=True)
def test_two_carts_filled_by_eight_threads_lose_no_line(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    products = [make_product(name) for name in "abcd"]

    def fill(user: User) -> None:
        for product in products:
            services.add_item(user_id=user.id, product_id=product.id, quantity=1)

    with beside(*[lambda user=user: fill(user) for user in (ana, bo)] * 4) as filled:
        pass
    assert [done.exception() for done in filled] == [None] * 8
    for user in (ana, bo):
        assert sorted(lines(user)) == [("a", 4), ("b", 4), ("c", 4), ("d", 4)]


def test_a_cart_that_nobody_touched_for_long_is_purged_with_its_lines(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    product = make_product()
    for user in (ana, bo):
        services.add_item(user_id=user.id, product_id=product.id, quantity=1)
    long_ago = timezone.now() - settings.ABANDONED_CART_LIFETIME
    ShoppingCart.objects.for_user(ana.id).update(updated_at=long_ago)

    assert list(purge(ShoppingCart, now=timezone.now(), batch_size=10)) == [1]

    assert not CartItem.objects.for_user(ana.id).exists()
    assert CartItem.objects.for_user(bo.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_a_split_hid_from_the_statement_is_asked_for_again(
    ana: User, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An INSERT from a SELECT that waited for the split of its shard finds no rows."""
    product = make_product()
    statements = iter([services.LOCK_OR_OPEN.replace("owner.is_active", "false")])
    real = services.LOCK_OR_OPEN

    class Once(str):
        def format(self, *args: object, **kwargs: object) -> str:
            return next(statements, real).format(*args, **kwargs)

    monkeypatch.setattr(services, "LOCK_OR_OPEN", Once(real))
    services.add_item(user_id=ana.id, product_id=product.id, quantity=1)
    assert next(statements, None) is None
    assert [line.quantity for line in items_of(ana.id)] == [1]
