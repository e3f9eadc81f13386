from typing import Any

import pytest

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.errors import AccountClosed, NotFound, TooManyLines
from shop.wishlists import services
from shop.wishlists.models import Wishlist, WishlistItem
from shop.wishlists.selectors import items_of, wishlist_of
from tests.conftest import MakeProduct
from tests.integration.core.concurrency import beside

pytestmark = pytest.mark.django_db


def test_a_wishlist_opens_with_its_first_item(ana: User, make_product: MakeProduct) -> None:
    assert wishlist_of(ana.id) is None
    item = services.add_item(user_id=ana.id, product_id=make_product().id)
    wishlist, stored = wishlist_of(ana.id), WishlistItem.objects.for_user(ana.id).get()
    assert wishlist is not None
    assert (stored.id, stored.wishlist_id) == (item.id, wishlist.id)


def test_wishing_twice_changes_nothing(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    first = services.add_item(user_id=ana.id, product_id=product.id)
    second = services.add_item(user_id=ana.id, product_id=product.id)
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert items_of(ana.id).count() == 1


def test_a_wishlist_holds_so_many_items_and_no_more(
    ana: User, make_product: MakeProduct, settings: Any
) -> None:
    settings.MAX_LINES = 2
    first, second, third = (make_product(name).id for name in "abc")
    for product_id in (first, second, first):  # what is there already stays
        services.add_item(user_id=ana.id, product_id=product_id)
    with pytest.raises(TooManyLines, match="2 lines at most"):
        services.add_item(user_id=ana.id, product_id=third)
    assert items_of(ana.id).count() == 2


def test_a_product_that_does_not_exist_cannot_be_wished_for(ana: User) -> None:
    with pytest.raises(NotFound):
        services.add_item(user_id=ana.id, product_id=999_999)
    assert wishlist_of(ana.id) is None


def test_a_user_who_is_gone_wishes_for_nothing(make_product: MakeProduct) -> None:
    with pytest.raises(AccountClosed):
        services.add_item(user_id=new_id(), product_id=make_product().id)


def test_removing_takes_only_the_own_item(ana: User, bo: User, make_product: MakeProduct) -> None:
    product = make_product()
    anas, bos = (services.add_item(user_id=u.id, product_id=product.id) for u in (ana, bo))
    with pytest.raises(NotFound):
        services.remove_item(user_id=ana.id, item_id=bos.id)
    services.remove_item(user_id=ana.id, item_id=anas.id)
    assert (items_of(ana.id).count(), items_of(bo.id).count()) == (0, 1)


def test_clearing_removes_the_wishlist_with_its_items(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    for user in (ana, bo):
        services.add_item(user_id=user.id, product_id=make_product(user.username).id)
    services.clear(ana.id)
    services.clear(ana.id)
    assert (wishlist_of(ana.id), items_of(ana.id).count()) == (None, 0)
    assert items_of(bo.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_wishes_at_once_make_one_wishlist(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    with beside(*[lambda: services.add_item(user_id=ana.id, product_id=product.id)] * 8) as made:
        pass
    assert len({item.result().id for item in made}) == 1
    assert Wishlist.objects.for_user(ana.id).count() == items_of(ana.id).count() == 1
