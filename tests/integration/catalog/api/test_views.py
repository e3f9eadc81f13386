"""Categories and products, over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.catalog import services
from shop.catalog.models import Category, Product
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

PRODUCTS, CATEGORIES = "/api/products/", "/api/categories/"


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return sorted(row["name"] for row in response.json()["results"])


@pytest.fixture
def shelf(category: Category) -> dict[str, Product]:
    """A tree of categories, Books > Novels > Crime and Games, with a product in each."""
    novels = services.create_category(name="Novels", parent=category)
    crime = services.create_category(name="Crime", parent=novels)
    games = services.create_category(name="Games")
    made = [
        ("Atlas", category, "30.00", "Maps of the whole world", 3),
        ("Romance", novels, "10.00", "A love story", 0),
        ("Thriller", crime, "12.50", "Murder in the mountains", 1),
        ("Chess", games, "30.00", "Wooden; maps the mind", 0),
    ]
    for name, place, price, description, stock in made:
        Product.objects.create(
            name=name,
            slug=name.lower(),
            price=price,
            category=place,
            description=description,
            stock_quantity=stock,
        )
    return {product.name: product for product in Product.objects.all()}


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Atlas", "Chess", "Romance", "Thriller"]),
        ({"search": "maps"}, ["Atlas", "Chess"]),
        ({"search": "map"}, ["Atlas", "Chess"]),
        ({"search": "ATLAS"}, ["Atlas"]),
        ({"search": "maps -chess"}, ["Atlas"]),
        ({"search": '"whole world"'}, ["Atlas"]),
        ({"search": "thriller or romance"}, ["Romance", "Thriller"]),
        ({"search": "unicorn"}, []),
        ({"search": "((('\"& | !:*"}, []),
        ({"min_price": "12.50"}, ["Atlas", "Chess", "Thriller"]),
        ({"min_price": "12.51"}, ["Atlas", "Chess"]),
        ({"max_price": "12.50"}, ["Romance", "Thriller"]),
        ({"max_price": "0"}, []),
        ({"min_price": "11", "max_price": "20"}, ["Thriller"]),
        ({"min_price": "20", "max_price": "11"}, []),
        ({"in_stock": "true"}, ["Atlas", "Thriller"]),
        ({"in_stock": "false"}, ["Chess", "Romance"]),
        ({"in_stock": "1", "max_price": "20"}, ["Thriller"]),
        ({"category": 2**63 - 1}, []),
        ({"unknown": "x"}, ["Atlas", "Chess", "Romance", "Thriller"]),
    ],
)
def test_products_are_narrowed_by_each_filter(
    client: APIClient, query: dict[str, Any], expected: list[str]
) -> None:
    assert names(client.get(PRODUCTS, query)) == expected


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("Atlas", ["Atlas", "Romance", "Thriller"]),
        ("Romance", ["Romance", "Thriller"]),
        ("Thriller", ["Thriller"]),
        ("Chess", ["Chess"]),
    ],
)
def test_a_category_includes_all_that_lies_below_it(
    client: APIClient, shelf: dict[str, Product], of: str, expected: list[str]
) -> None:
    category = shelf[of].category_id
    assert names(client.get(PRODUCTS, {"category": category})) == expected
    found = names(client.get(PRODUCTS, {"category": category, "in_stock": "true"}))
    assert found == [name for name in expected if shelf[name].stock_quantity]


@pytest.mark.parametrize("ordering", ["name", "price", "created_at"])
def test_products_come_in_the_order_asked_for(
    client: APIClient, shelf: dict[str, Product], ordering: str
) -> None:
    up = sorted(shelf.values(), key=lambda p: (getattr(p, ordering), p.id))
    for sign, expected in (("", up), ("-", up[::-1])):
        rows = client.get(PRODUCTS, {"ordering": f"{sign}{ordering}"}).json()["results"]
        assert [row["id"] for row in rows] == [product.id for product in expected]


def test_the_newest_products_come_first(client: APIClient, shelf: dict[str, Product]) -> None:
    rows = client.get(PRODUCTS).json()["results"]
    assert [row["name"] for row in rows] == ["Chess", "Thriller", "Romance", "Atlas"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "0"),
        ("category", "-1"),
        ("category", "x"),
        ("category", "1.5"),
        ("category", str(2**63)),
        ("min_price", "-1"),
        ("min_price", "x"),
        ("min_price", "NaN"),
        ("min_price", "Infinity"),
        ("min_price", "1.999"),
        ("min_price", "1e12"),
        ("max_price", "-0.01"),
        ("max_price", "1,5"),
        ("in_stock", "maybe"),
        ("search", "x" * 201),
        ("search", "a\0b"),
        ("ordering", "id"),
        ("ordering", "price,name"),
        ("ordering", "--price"),
        ("ordering", "?"),
        ("page_size", "0"),
        ("cursor", "x"),
    ],
)
def test_an_unacceptable_parameter_is_named(client: APIClient, name: str, value: str) -> None:
    assert invalid_fields(client.get(PRODUCTS, {name: value})) == {name}


def test_a_product_has_its_fields(client: APIClient, shelf: dict[str, Product]) -> None:
    atlas = shelf["Atlas"]
    body = client.get(f"{PRODUCTS}{atlas.id}/").json()
    assert body.pop("created_at") <= body.pop("updated_at")
    assert body == {
        "id": atlas.id,
        "name": "Atlas",
        "slug": "atlas",
        "description": "Maps of the whole world",
        "price": "30.00",
        "status": "active",
        "stock_quantity": 3,
        "track_inventory": True,
        "category_id": atlas.category_id,
        "category": "Books",
        "rating_average": None,
        "rating_count": 0,
    }


def test_a_product_is_the_same_in_a_list_and_by_itself_but_for_its_rating(
    client: APIClient, shelf: dict[str, Product]
) -> None:
    unrated = {"rating_average": None, "rating_count": 0}
    for row in client.get(PRODUCTS).json()["results"]:
        assert client.get(f"{PRODUCTS}{row['id']}/").json() == row | unrated


@pytest.mark.parametrize("path", [PRODUCTS, CATEGORIES])
@pytest.mark.parametrize("number", [0, 999_999, 2**63, 10**30])
def test_what_does_not_exist_is_not_found(client: APIClient, path: str, number: int) -> None:
    assert_problem(client.get(f"{path}{number}/"), 404, "not_found")


def test_categories_show_their_place_in_the_tree(
    client: APIClient, shelf: dict[str, Product]
) -> None:
    rows = client.get(CATEGORIES).json()["results"]
    by_name = {row["name"]: row for row in rows}
    assert [row["name"] for row in rows] == ["Books", "Novels", "Crime", "Games"]
    assert by_name["Books"]["parent_id"] is None
    assert by_name["Crime"]["parent_id"] == by_name["Novels"]["id"]
    assert by_name["Books"]["ancestor_ids"] == []
    above_crime = [by_name["Books"]["id"], by_name["Novels"]["id"]]
    assert by_name["Crime"]["ancestor_ids"] == above_crime
    novels = by_name["Novels"]
    assert client.get(f"{CATEGORIES}{novels['id']}/").json() == novels


def test_categories_are_narrowed_to_the_children_of_one_or_to_the_roots(
    client: APIClient, shelf: dict[str, Product]
) -> None:
    books = shelf["Atlas"].category_id
    assert names(client.get(CATEGORIES, {"parent": books})) == ["Novels"]
    assert names(client.get(CATEGORIES, {"parent": "root"})) == ["Books", "Games"]
    assert names(client.get(CATEGORIES, {"parent": shelf["Chess"].category_id})) == []
    assert names(client.get(CATEGORIES, {"parent": "9" * 19})) == []


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "ROOT", "9" * 20, "٣", "roots"])
def test_an_unacceptable_parent_is_named(client: APIClient, value: str) -> None:
    assert invalid_fields(client.get(CATEGORIES, {"parent": value})) == {"parent"}
