"""Categories, products and stock on the staff pages: written by the services of their rooms."""

import pytest

from shop.accounts.models import User
from shop.catalog.models import Category, Product
from shop.inventory.models import StockMovement
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct
from tests.integration.admin.conftest import Open
from tests.integration.admin.pages import CATEGORIES, PRODUCTS, STOCK

pytestmark = pytest.mark.django_db


def test_a_category_is_made_below_its_parent(browser: Open, cat: User, category: Category) -> None:
    form = {"name": "Novels", "parent": category.pk}
    assert browser(cat).post(f"{CATEGORIES}add/", form).status_code == 302
    assert Category.objects.get(name="Novels").ancestor_ids == [category.pk]


def test_a_category_moves_with_all_below_it(browser: Open, cat: User, category: Category) -> None:
    pages = browser(cat)
    for name, parent in (("Novels", category), ("Crime", None), ("Media", None)):
        pages.post(f"{CATEGORIES}add/", {"name": name, "parent": parent.pk if parent else ""})
    media = Category.objects.get(name="Media")
    form = {"name": "Books", "parent": media.pk}
    assert pages.post(f"{CATEGORIES}{category.pk}/change/", form).status_code == 302
    assert Category.objects.get(name="Novels").ancestor_ids == [media.pk, category.pk]


def test_a_category_cannot_move_below_itself(browser: Open, cat: User, category: Category) -> None:
    form = {"name": "Books", "parent": category.pk}
    response = browser(cat).post(f"{CATEGORIES}{category.pk}/change/", form, follow=True)
    assert "below itself" in response.content.decode()
    assert Category.objects.get(pk=category.pk).parent is None


def test_a_category_in_use_stays(browser: Open, cat: User, make_product: MakeProduct) -> None:
    category = make_product().category
    url = f"{CATEGORIES}{category.pk}/delete/"
    response = browser(cat).post(url, {"post": "yes"}, follow=True)
    assert "move or delete them first" in response.content.decode()
    assert Category.objects.filter(pk=category.pk).exists()


def test_a_product_gets_its_slug_from_its_name(
    browser: Open, cat: User, category: Category
) -> None:
    form = {"name": "Blue book", "slug": "", "price": "9.50", "category": category.pk}
    form["status"] = "draft"
    assert browser(cat).post(f"{PRODUCTS}add/", form).status_code == 302
    assert Product.objects.get(slug="blue-book").stock_quantity == 0


def test_a_product_is_changed_and_keeps_its_slug(
    browser: Open, cat: User, make_product: MakeProduct
) -> None:
    product = make_product("Blue book", stock=2)
    form = {"name": "Red book", "slug": "", "price": "1", "category": product.category_id}
    form["status"] = "active"
    form["stock_quantity"] = 99
    assert browser(cat).post(f"{PRODUCTS}{product.pk}/change/", form).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.slug, product.stock_quantity) == ("Red book", "blue-book", 2)


def test_a_taken_slug_is_refused(browser: Open, cat: User, make_product: MakeProduct) -> None:
    product = make_product("Blue book")
    form = {"name": "x", "slug": "blue-book", "price": "1", "category": product.category_id}
    response = browser(cat).post(f"{PRODUCTS}add/", form)
    assert "already exists" in response.content.decode()


def test_a_product_that_was_stocked_stays(
    browser: Open, cat: User, make_product: MakeProduct
) -> None:
    fresh, stocked = make_product("One"), make_product("Two", stock=1)
    pages = browser(cat)
    for product in (fresh, stocked):
        pages.post(f"{PRODUCTS}{product.pk}/delete/", {"post": "yes"})
    assert list(Product.objects.values_list("pk", flat=True)) == [stocked.pk]
    assert "cannot be deleted" in pages.get(PRODUCTS).content.decode()


def test_stock_moves_with_a_line_in_the_ledger(
    browser: Open, cat: User, make_product: MakeProduct
) -> None:
    product = make_product(stock=5)
    url = f"{STOCK}{product.pk}/change/"
    assert browser(cat).post(url, {"delta": "-2", "reason": "adjustment"}).status_code == 302
    assert available(product.pk) == 3
    assert drift() == []
    page = browser(cat).get(url).content.decode()
    assert "<td>-2</td><td>Adjustment</td>" in page
    assert "<td>+5</td><td>Receipt</td>" in page
    product.refresh_from_db()
    assert product.stock_quantity == 3


@pytest.mark.parametrize(
    ("delta", "reason"),
    [("0", "adjustment"), ("-6", "adjustment"), ("1", "order"), ("x", "receipt"), ("", "receipt")],
)
def test_a_movement_that_cannot_be_is_refused(
    browser: Open, cat: User, make_product: MakeProduct, delta: str, reason: str
) -> None:
    product = make_product(stock=5)
    form = {"delta": delta, "reason": reason}
    assert browser(cat).post(f"{STOCK}{product.pk}/change/", form).status_code == 200
    assert StockMovement.objects.for_product(product.pk).count() == 1


def test_stock_that_was_sold_in_the_same_moment_is_refused_with_a_message(
    browser: Open, cat: User, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product(stock=5)
    monkeypatch.setattr("shop.inventory.admin.available", lambda product_id: 100)
    form = {"delta": "-6", "reason": "adjustment"}
    response = browser(cat).post(f"{STOCK}{product.pk}/change/", form, follow=True)
    assert "Fewer units are there" in response.content.decode()
    assert StockMovement.objects.for_product(product.pk).count() == 1


@pytest.mark.parametrize("page", ["add/", "{}/delete/"])
def test_stock_is_neither_added_nor_deleted_without_a_movement(
    browser: Open, cat: User, make_product: MakeProduct, page: str
) -> None:
    url = STOCK + page.format(make_product().pk)
    assert browser(cat).post(url, {"post": "yes"}).status_code == 403
