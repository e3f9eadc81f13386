import pytest
from django.test.utils import isolate_apps

from sharding.django.placement import (
    Distributed,
    Local,
    Reference,
    column_of,
    group_of,
    placement_of,
)
from shop.accounts.models import Identity, RefreshToken, User
from shop.catalog.models import Category, Product
from shop.core.models import IdempotencyKey, OutboxEvent, UserShardedModel
from shop.inventory.models import Stock, StockMovement
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from shop.reviews.models import Review


@pytest.mark.parametrize(
    "model",
    [User, RefreshToken, Order, OrderItem, OrderEvent, Payment, IdempotencyKey, OutboxEvent],
)
def test_what_belongs_to_a_user_lives_in_the_users_group(model: type) -> None:
    assert group_of(model) == "accounts.User"


@pytest.mark.parametrize("model", [Stock, StockMovement, Review])
def test_what_belongs_to_a_product_lives_in_the_stocks_group(model: type) -> None:
    assert group_of(model) == "inventory.Stock"


@isolate_apps("shop.core")
def test_a_group_is_named_by_its_founder_however_long_the_chain() -> None:
    class Note(UserShardedModel):
        placement = Distributed(by="user_id", colocate_with="orders.Order")

        class Meta:
            app_label = "core"

    assert group_of(Note) == group_of(Order) == "accounts.User"


def test_claimed_names_are_a_group_of_their_own() -> None:
    assert group_of(Identity) == "accounts.Identity"


@pytest.mark.parametrize("model", [Category, Product])
def test_the_catalog_is_on_every_node_and_in_no_group(model: type) -> None:
    assert placement_of(model) == Reference()
    assert group_of(model) is None


def test_the_column_of_a_relation_is_its_id() -> None:
    assert column_of(Stock, "product") == "product_id"
    assert column_of(Order, "user_id") == "user_id"


def test_a_foreign_packages_model_is_placed_by_the_settings() -> None:
    from django.contrib.contenttypes.models import ContentType

    placement = placement_of(ContentType)
    assert isinstance(placement, Local)
    assert placement.reason


def test_a_placement_names_its_column_and_nothing_else_by_position() -> None:
    with pytest.raises(TypeError):
        Distributed("user_id")  # type: ignore[misc]
