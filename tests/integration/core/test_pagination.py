"""Pages behind the last row of the page before, seen through the list of products."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.utils import timezone
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Category, Product
from shop.catalog.selectors import ORDERINGS
from shop.core.pagination import SALT
from tests.conftest import MakeProduct
from tests.integration.core.assertions import invalid_fields, statements

pytestmark = pytest.mark.django_db

URL = "/api/products/"


@pytest.fixture
def seven(make_product: MakeProduct) -> list[Product]:
    """Seven products, three of which have one price and one time of birth."""
    prices = ["3.00", "1.00", "2.00", "2.00", "2.00", "5.00", "4.00"]
    named = zip("dacbgfe", prices, strict=True)
    made = [make_product(f"Book {name}", price=price) for name, price in named]
    Product.objects.filter(price="2.00").update(created_at=timezone.now())
    return list(Product.objects.filter(id__in=[product.id for product in made]))


def page(client: APIClient, url: str | None, **query: object) -> Any:
    assert url is not None
    response = client.get(url, query)
    assert response.status_code == 200, response.content
    return response.json()


def ids(body: Any) -> list[int]:
    return [row["id"] for row in body["results"]]


def walk(client: APIClient, url: str | None, direction: str = "next") -> list[list[int]]:
    """Return the ids of each page from here on, in the order in which they come."""
    pages = []
    while url:
        body = page(client, url)
        pages.append(ids(body))
        url = body[direction]
        assert len(pages) < 20
    return pages


def expected(ordering: str) -> list[int]:
    sign = "-" if ordering.startswith("-") else ""
    return list(Product.objects.order_by(ordering, f"{sign}id").values_list("id", flat=True))


def flat(pages: list[list[int]]) -> list[int]:
    return [i for one in pages for i in one]


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_row_comes_once_in_every_order(client: APIClient, ordering: str, size: int) -> None:
    pages = walk(client, f"{URL}?ordering={ordering}&page_size={size}")
    assert flat(pages) == expected(ordering)
    assert [len(one) for one in pages[:-1]] == [size] * (len(pages) - 1)
    assert pages[-1]


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_going_back_shows_the_same_pages(client: APIClient, ordering: str) -> None:
    first = page(client, URL, ordering=ordering, page_size=2)
    second = page(client, first["next"])
    third = page(client, second["next"])
    back = page(client, third["previous"])
    assert ids(back) == ids(second)
    start = page(client, back["previous"])
    assert ids(start) == ids(first)
    assert ids(page(client, start["next"])) == ids(second)
    assert ids(page(client, back["next"])) == ids(third)


@pytest.mark.usefixtures("seven")
def test_the_first_page_has_no_previous_and_the_last_no_next(client: APIClient) -> None:
    first = page(client, URL, page_size=4)
    last = page(client, first["next"])
    assert first["previous"] is None
    assert last["next"] is None
    assert page(client, last["previous"])["previous"] is None


@pytest.mark.usefixtures("seven")
def test_a_page_that_holds_everything_has_no_neighbours(client: APIClient) -> None:
    body = page(client, URL, page_size=7)
    assert (body["next"], body["previous"], len(body["results"])) == (None, None, 7)


def test_an_empty_list_is_an_empty_page(client: APIClient) -> None:
    assert page(client, URL) == {"next": None, "previous": None, "results": []}


@pytest.mark.usefixtures("seven")
def test_rows_added_between_two_pages_move_nothing(
    client: APIClient, make_product: MakeProduct
) -> None:
    first = page(client, URL, ordering="price", page_size=3)
    rest = expected("price")[3:]
    make_product("Cheap", price="0.50")
    make_product("Dear", price="9.00")
    dear = Product.objects.get(name="Dear")
    assert flat(walk(client, first["next"])) == [*rest, dear.id]


@pytest.mark.usefixtures("seven")
def test_the_row_a_cursor_stands_on_may_vanish(client: APIClient) -> None:
    first = page(client, URL, ordering="-price", page_size=3)
    rest = expected("-price")[3:]
    Product.objects.filter(id=ids(first)[-1]).update(price="0.01")
    assert flat(walk(client, first["next"]))[: len(rest)] == rest


@pytest.mark.usefixtures("seven")
def test_a_link_keeps_the_filters_the_order_and_the_page_size(client: APIClient) -> None:
    body = page(client, URL, ordering="price", page_size=2, min_price="2.00")
    query = parse_qs(urlsplit(body["next"]).query)
    assert query.pop("cursor")
    assert query == {"ordering": ["price"], "page_size": ["2"], "min_price": ["2.00"]}
    assert all(row["price"] >= "2.00" for row in page(client, body["next"])["results"])


@pytest.mark.usefixtures("seven")
def test_the_page_size_may_change_between_pages(client: APIClient) -> None:
    first = page(client, URL, ordering="name", page_size=2)
    rest = page(client, first["next"].replace("page_size=2", "page_size=100"))
    assert ids(first) + ids(rest) == expected("name")


def test_a_page_has_twenty_rows_unless_told_otherwise(
    client: APIClient, make_product: MakeProduct, category: Category
) -> None:
    Product.objects.bulk_create(
        Product(name=f"B {n}", slug=f"b-{n}", price=1, category=category) for n in range(120)
    )
    assert len(page(client, URL)["results"]) == 20
    assert len(page(client, URL, page_size=100)["results"]) == 100


@pytest.mark.parametrize("size", ["1", "99", "100"])
def test_a_page_size_from_1_to_100_is_taken(client: APIClient, size: str) -> None:
    assert client.get(URL, {"page_size": size}).status_code == 200


def cursor_of(client: APIClient, url: str = URL, **query: object) -> str:
    link = page(client, url, page_size=2, **query)["next"]
    return parse_qs(urlsplit(link).query)["cursor"][0]


def _flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


def signed(value: Any, salt: str = SALT) -> str:
    return signing.Signer(salt=salt).sign_object(value)


FORGED: dict[str, Callable[[str], str]] = {
    "words": lambda _: "abc",
    "cut off": lambda cursor: cursor[:-1],
    "tampered": _flipped,
    "signature of another": lambda cursor: cursor.rpartition(":")[0] + ":" + "A" * 43,
    "of another use": lambda _: signed([["/"], ["id"], ["1"], False], salt="other"),
    "signed by us, of no sense": lambda _: signed("x"),
    "signed by us, too short": lambda _: signed([1]),
    "signed by us, a number": lambda _: signed(5),
    "NUL": lambda _: "\0",
    "not ASCII": lambda cursor: "ä" + cursor,
}


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_cursor_is_refused(client: APIClient, kind: str) -> None:
    forged = FORGED[kind](cursor_of(client))
    assert invalid_fields(client.get(URL, {"cursor": forged})) == {"cursor"}


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(
    ("url", "query"),
    [
        (URL, {"ordering": "price"}),
        (URL, {"min_price": "1.00"}),
        (URL, {"in_stock": "false"}),
        ("/api/categories/", {}),
    ],
)
def test_a_cursor_of_another_list_is_refused(
    client: APIClient, url: str, query: dict[str, str]
) -> None:
    assert invalid_fields(client.get(url, {**query, "cursor": cursor_of(client)})) == {"cursor"}


@pytest.mark.usefixtures("seven")
def test_an_empty_cursor_is_the_first_page(client: APIClient) -> None:
    assert ids(page(client, URL, cursor="")) == ids(page(client, URL))


def test_lists_of_distributed_rows_are_paged_as_well(
    ana: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    client = as_user(ana)
    for name in "abcde":
        client.post("/api/wishlist/items/", {"product_id": make_product(name).id})
    pages = [
        [row["name"] for row in page(client, url)["results"]]
        for url in _urls(client, "/api/wishlist/items/?page_size=2")
    ]
    assert pages == [["e", "d"], ["c", "b"], ["a"]]


def _urls(client: APIClient, url: str | None) -> list[str]:
    urls: list[str] = []
    while url:
        urls.append(url)
        url = page(client, url)["next"]
    return urls


@pytest.mark.usefixtures("seven")
def test_no_page_counts_the_rows(client: APIClient) -> None:
    following = page(client, URL, page_size=2)["next"]
    with statements(1) as sent:
        page(client, following)
    assert "COUNT" not in sent[0].upper()
