"""A write makes stale what shows it, whichever way it is made, and nothing else."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog import bulk, freshness, services
from shop.catalog.entry import Entry
from shop.catalog.models import Category, Product
from shop.inventory import services as inventory
from shop.inventory.publishing import publish_changes
from shop.reviews import services as reviews
from tests.conftest import MakeProduct
from tests.integration.catalog.api.conftest import Committed
from tests.integration.core.assertions import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cached")]

LIST = "/api/products/"


class Shop:
    """Two trees, Books > Novels and Games > Chess, with a product in each of the leaves."""

    def __init__(self, client: APIClient) -> None:
        self.client = client
        self.books = services.create_category(name="Books")
        self.novels = services.create_category(name="Novels", parent=self.books)
        self.games = services.create_category(name="Games")
        self.chess = services.create_category(name="Chess", parent=self.games)
        self.product = self.new("Waves", self.novels)
        self.other = self.new("Board", self.chess)

    def new(self, name: str, category: Category) -> Product:
        return services.create_product(name=name, price=Decimal("10.00"), category=category)

    def one(self, product: Product) -> str:
        return f"{LIST}{product.id}/"

    def of(self, category: Category) -> str:
        return f"{LIST}?category={category.id}"

    @property
    def paths(self) -> dict[str, str]:
        """Every kind of answer, by what it is about."""
        return {
            "product": self.one(self.product),
            "other": self.one(self.other),
            "all": LIST,
            "all by price": f"{LIST}?ordering=price&in_stock=false",
            "books": self.of(self.books),
            "novels": self.of(self.novels),
            "games": self.of(self.games),
            "chess": self.of(self.chess),
            "categories": "/api/categories/",
            "category": f"/api/categories/{self.novels.id}/",
        }

    def warm(self) -> None:
        for path in self.paths.values():
            assert self.client.get(path).status_code == 200

    def stale(self) -> set[str]:
        """Return what is asked of the database now."""
        found = set()
        for name, path in self.paths.items():
            try:
                with statements(0):
                    self.client.get(path)
            except AssertionError:
                found.add(name)
        return found


@pytest.fixture
def shop(client: APIClient) -> Shop:
    shop = Shop(client)
    shop.warm()
    assert shop.stale() == set()
    return shop


OF_THE_PRODUCT = {"product", "all", "all by price", "books", "novels"}

Write = Callable[["Shop"], Any]
PRICE = Decimal("42.00")


def by_save(shop: Shop) -> None:
    product = Product.objects.get(id=shop.product.id)
    product.price = PRICE
    product.save()


def by_save_of_one_field(shop: Shop) -> None:
    product = Product.objects.only("id").get(id=shop.product.id)
    product.price = PRICE
    product.save(update_fields=["price"])


def by_bulk_update(shop: Shop) -> None:
    shop.product.price = PRICE
    Product.objects.bulk_update([shop.product], ["price"])


def by_import(shop: Shop) -> None:
    Product.objects.filter(id=shop.product.id).update(handle="waves", options=[])
    entry = Entry(
        handle="waves",
        options=(),
        name="Waves",
        description="",
        price=PRICE,
        category=("Books", "N"),
        status="active",
        track_inventory=None,
    )
    bulk.upsert_products([entry], {("Books", "N"): shop.novels.id})


WRITES: dict[str, Write] = {
    "service": lambda shop: services.update_product(shop.product.id, {"price": PRICE}),
    "save": by_save,
    "save of one field": by_save_of_one_field,
    "update": lambda shop: Product.objects.filter(price=10, name="Waves").update(price=PRICE),
    "update through the category": lambda shop: shop.novels.products.update(price=PRICE),
    "update through a join": lambda shop: Product.objects.filter(category__name="Novels").update(
        price=PRICE
    ),
    "bulk_update": by_bulk_update,
    "update_or_create": lambda shop: Product.objects.update_or_create(
        slug=shop.product.slug, defaults={"price": PRICE}
    ),
    "import": by_import,
}


@pytest.mark.parametrize("way", WRITES)
def test_a_price_is_seen_at_once_and_the_rest_stays(
    shop: Shop, committed: Committed[Any], way: str
) -> None:
    committed(lambda: WRITES[way](shop))
    assert shop.stale() == OF_THE_PRODUCT
    assert shop.client.get(shop.paths["product"]).json()["price"] == "42.00"
    assert [row["price"] for row in shop.client.get(shop.paths["books"]).json()["results"]] == [
        "42.00"
    ]


def test_a_price_changed_over_the_api_is_seen_at_once(
    shop: Shop, committed: Committed[Any], sam: User, as_user: Callable[[User], APIClient]
) -> None:
    response = committed(lambda: as_user(sam).patch(shop.paths["product"], {"price": "42.00"}))
    assert response.status_code == 200
    assert shop.stale() == OF_THE_PRODUCT


def test_a_price_changed_on_the_staff_pages_is_seen_at_once(
    shop: Shop, committed: Committed[Any], sam: User
) -> None:
    browser = Client()
    browser.force_login(sam)
    fields = {
        "name": "Waves",
        "slug": "waves",
        "price": "42.00",
        "category": shop.novels.id,
        "status": "active",
    }
    page = f"/admin/catalog/product/{shop.product.id}/change/"
    response = committed(lambda: browser.post(page, fields))
    assert (response.status_code, shop.stale()) == (302, OF_THE_PRODUCT)


def test_nothing_is_stale_before_the_commit(shop: Shop) -> None:
    Product.objects.filter(id=shop.product.id).update(price=PRICE)
    assert shop.stale() == set()


def test_a_write_that_is_undone_makes_nothing_stale(shop: Shop, committed: Committed[Any]) -> None:
    committed(lambda: Product.objects.filter(name="nobody").update(price=PRICE))
    assert shop.stale() == set()


def test_a_product_that_moves_is_missed_and_found(shop: Shop, committed: Committed[Any]) -> None:
    committed(lambda: services.update_product(shop.product.id, {"category": shop.chess}))
    assert shop.stale() == OF_THE_PRODUCT | {"games", "chess"}


@pytest.mark.parametrize("way", ["update", "save", "bulk_update"])
def test_a_move_is_told_whoever_makes_it(shop: Shop, committed: Committed[Any], way: str) -> None:
    shop.product.category = shop.chess
    ways: dict[str, Callable[[], Any]] = {
        "update": lambda: Product.objects.filter(name="Waves").update(category=shop.chess),
        "save": shop.product.save,
        "bulk_update": lambda: Product.objects.bulk_update([shop.product], ["category"]),
    }
    committed(ways[way])
    assert shop.stale() == OF_THE_PRODUCT | {"games", "chess"}


@pytest.mark.parametrize("way", ["service", "bulk_create"])
def test_a_new_product_is_in_its_lists_at_once(
    shop: Shop, committed: Committed[Any], way: str
) -> None:
    row = Product(name="New", slug="new", price=1, category=shop.novels)
    ways: dict[str, Callable[[], Any]] = {
        "service": lambda: shop.new("New", shop.novels),
        "bulk_create": lambda: Product.objects.bulk_create([row]),
    }
    committed(ways[way])
    assert shop.stale() == OF_THE_PRODUCT - {"product"}


def test_a_product_that_is_deleted_is_gone_at_once(shop: Shop, committed: Committed[Any]) -> None:
    committed(lambda: services.delete_product(shop.product.id))
    assert shop.client.get(shop.paths["product"]).status_code == 404
    assert shop.stale() == {"all", "all by price", "books", "novels"}


def test_a_new_category_changes_categories_alone(shop: Shop, committed: Committed[Any]) -> None:
    committed(lambda: services.create_category(name="Crime", parent=shop.novels))
    assert shop.stale() == {"categories", "category"}


def test_a_category_that_is_renamed_renames_its_products(
    shop: Shop, committed: Committed[Any]
) -> None:
    committed(lambda: services.update_category(shop.novels.id, {"name": "Fiction"}))
    assert shop.stale() == OF_THE_PRODUCT | {"categories", "category"}
    assert shop.client.get(shop.paths["product"]).json()["category"] == "Fiction"


def test_a_category_that_moves_takes_its_products_along(
    shop: Shop, committed: Committed[Any]
) -> None:
    committed(lambda: services.update_category(shop.novels.id, {"parent": shop.games}))
    assert shop.stale() == OF_THE_PRODUCT | {"games", "categories", "category"}
    assert shop.client.get(shop.paths["books"]).json()["results"] == []


def test_stock_that_is_published_is_seen_at_once(shop: Shop, committed: Committed[Any]) -> None:
    committed(lambda: inventory.adjust(product_id=shop.product.id, delta=5, reason="receipt"))
    assert shop.stale() == OF_THE_PRODUCT
    committed(publish_changes)
    assert shop.stale() == set()  # it was right already


def test_a_review_changes_the_product_and_no_list(
    shop: Shop, committed: Committed[Any], ana: User
) -> None:
    review = committed(
        lambda: reviews.write_review(user_id=ana.id, product_id=shop.product.id, rating=4)
    )
    assert shop.stale() == {"product"}
    committed(lambda: reviews.change_review(review, {"rating": 1}))
    assert shop.client.get(shop.paths["product"]).json()["rating_average"] == "1.00"
    committed(lambda: reviews.remove_review(review))
    assert shop.client.get(shop.paths["product"]).json()["rating_count"] == 0


def test_very_many_rows_make_everything_stale_by_one_token(
    shop: Shop, committed: Committed[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expired: list[set[str]] = []
    monkeypatch.setattr(freshness, "expire", lambda names: expired.append(set(names)))
    rows = [
        Product(name=f"P{n}", slug=f"p-{n}", price=1, category=shop.novels)
        for n in range(freshness.MASS + 1)
    ]
    committed(lambda: Product.objects.bulk_create(rows))
    committed(lambda: Product.objects.filter(name__startswith="P").update(price=2))
    assert expired == [{freshness.EVERYTHING}] * 2


@pytest.mark.parametrize(
    "query",
    [
        Product.objects.distinct,
        lambda: Product.objects.filter(id__in=Product.objects.values("id")),
    ],
)
def test_rows_that_cannot_be_told_are_not_forgotten(
    shop: Shop, committed: Committed[Any], query: Callable[[], Any]
) -> None:
    committed(lambda: query().update(price=PRICE))
    assert {"product", "other", "all", "novels", "chess"} <= shop.stale()


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_product_that_is_taken_off_sale_and_put_back_is_seen_so_at_once(
    stranger: APIClient, committed: Committed[Any], make_product: MakeProduct, status: str
) -> None:
    mug = committed(lambda: make_product("Mug"))
    paths = ["/api/products/", f"/api/products/?category={mug.category_id}"]
    one = f"/api/products/{mug.id}/"

    def seen() -> list[bool]:
        """Ask twice: what is answered first is kept."""
        for _ in range(2):
            lists = [bool(stranger.get(path).json()["results"]) for path in paths]
            found = [*lists, stranger.get(one).status_code == 200]
        return found

    assert seen() == [True] * 3
    committed(lambda: services.update_product(mug.id, {"status": status}))
    assert seen() == [False] * 3
    committed(lambda: services.update_product(mug.id, {"status": "active"}))
    assert seen() == [True] * 3
