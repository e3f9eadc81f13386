from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.catalog import services
from shop.catalog.errors import CategoryExists, CategoryGone, ProductExists, ProductInUse
from shop.catalog.models import Category, Product
from shop.core.errors import Conflict, NotFound
from shop.inventory.services import adjust
from shop.reviews.services import write_review
from shop.wishlists.services import add_item as wish
from tests.conftest import MakeProduct
from tests.integration.core.assertions import statements
from tests.integration.core.concurrency import beside

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


def test_only_what_is_named_is_changed(make_product: MakeProduct) -> None:
    product = make_product("A book", price="10.00")
    services.update_product(product.id, {"price": Decimal("12.00")})
    changed = Product.objects.get(id=product.id)
    assert (changed.price, changed.name, changed.slug) == (Decimal("12.00"), "A book", "a-book")
    assert changed.updated_at > product.updated_at


def test_a_check_that_objects_leaves_the_product_as_it_was(make_product: MakeProduct) -> None:
    product = make_product("A book")

    def object_() -> None:
        raise Conflict("No.")

    with pytest.raises(Conflict):
        services.update_product(product.id, {"name": "B"}, check=object_)
    with pytest.raises(Conflict):
        services.delete_product(product.id, check=object_)
    assert Product.objects.get().name == "A book"


def test_a_product_cannot_move_to_a_category_that_is_gone(
    make_product: MakeProduct, category: Category
) -> None:
    product, gone = make_product(), services.create_category(name="Gone")
    services.delete_category(gone.id)
    with pytest.raises(CategoryGone), transaction.atomic():
        services.update_product(product.id, {"category": gone})
    with pytest.raises(CategoryGone), transaction.atomic():
        services.create_product(name="B", price=Decimal(1), category=gone)
    assert Product.objects.get().category_id == category.id


def test_a_product_that_is_gone_can_be_neither_changed_nor_deleted(
    make_product: MakeProduct,
) -> None:
    product = make_product()
    services.delete_product(product.id)
    with pytest.raises(NotFound):
        services.update_product(product.id, {"name": "B"})
    with pytest.raises(NotFound):
        services.delete_product(product.id)


@pytest.mark.parametrize("use", ["cart", "wishlist", "review", "stock", "emptied stock"])
def test_a_product_that_anything_refers_to_stays(
    ana: User, make_product: MakeProduct, use: str
) -> None:
    """Several of each, so that the rows lie on several shards and nodes."""
    products = [make_product(f"Book {number}") for number in range(4)]
    for product in products:
        if use == "cart":
            add_item(user_id=ana.id, product_id=product.id, quantity=1)
        elif use == "wishlist":
            wish(user_id=ana.id, product_id=product.id)
        elif use == "review":
            write_review(user_id=ana.id, product_id=product.id, rating=5)
        else:
            adjust(product_id=product.id, delta=1, reason="receipt")
        if use == "emptied stock":
            adjust(product_id=product.id, delta=-1, reason="adjustment")
        with pytest.raises(ProductInUse), transaction.atomic():
            services.delete_product(product.id)
    assert Product.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_product_is_deleted_or_put_into_a_cart_never_both(
    ana: User, make_product: MakeProduct
) -> None:
    products = [make_product(f"Book {number}") for number in range(6)]
    for product in products:
        with beside(
            lambda key=product.id: services.delete_product(key),
            lambda key=product.id: add_item(user_id=ana.id, product_id=key, quantity=1),
        ) as done:
            pass
        outcomes = {type(one.exception()) for one in done}
        assert outcomes in ({type(None), ProductInUse}, {type(None), NotFound})
