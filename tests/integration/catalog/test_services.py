from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from shop.catalog import services
from shop.catalog.errors import CategoryExists, ProductExists
from shop.catalog.models import Category, Product
from tests.conftest import MakeProduct
from tests.integration.core.assertions import statements

pytestmark = pytest.mark.django_db


def test_two_roots_of_one_name_are_refused(category: Category) -> None:
    with pytest.raises(CategoryExists), transaction.atomic():
        services.create_category(name=category.name)
    assert Category.objects.count() == 1


def test_two_products_of_one_slug_are_refused(make_product: MakeProduct) -> None:
    product = make_product("A book")
    with pytest.raises(ProductExists), transaction.atomic():
        services.create_product(
            name="Other", slug=product.slug, price=Decimal(1), category=product.category
        )
    assert Product.objects.count() == 1


def test_the_database_refuses_a_negative_price(category: Category) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.create(name="A", slug="a", price=-1, category=category)


def test_publishing_writes_only_the_figures_that_changed(make_product: MakeProduct) -> None:
    one, other, third = (make_product(name) for name in "abc")
    assert services.publish_stock({one.id: 5, other.id: 0}) == 1
    assert services.publish_stock({one.id: 5, other.id: 7, third.id: 1}) == 2
    published = dict(Product.objects.values_list("id", "stock_quantity"))
    assert published == {one.id: 5, other.id: 7, third.id: 1}


def test_publishing_what_has_not_changed_writes_nothing(make_product: MakeProduct) -> None:
    product = make_product()
    with statements(1) as sent:
        assert services.publish_stock({product.id: 0}) == 0
    assert sent[0].startswith("SELECT")
    assert services.publish_stock({}) == 0


def test_publishing_for_a_product_that_is_gone_is_no_error() -> None:
    assert services.publish_stock({999_999: 5}) == 0
