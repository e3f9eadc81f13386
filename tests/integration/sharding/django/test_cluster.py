import pytest

from sharding.django.cluster import shard_count
from shop.catalog.models import Product
from shop.orders.models import Order
from shop.payments.models import Payment
from tests.conftest import has_citus

pytestmark = pytest.mark.django_db


def test_a_table_that_is_on_every_node_is_asked_in_one_place() -> None:
    assert shard_count(Product) == 1


def test_a_distributed_table_has_as_many_shards_as_its_group() -> None:
    assert shard_count(Order) == shard_count(Payment)
    assert (shard_count(Order) > 1) == has_citus()
