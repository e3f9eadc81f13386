"""Requests that mean the same are one question; requests that do not are two."""

from typing import Any

import pytest
from django.test import RequestFactory

from shop.catalog.api.questions import Asked, asked_by

LIST = "/api/products/"
DIFFERENT = [
    "",
    "category=3",
    "category=4",
    "search=lamp",
    "search=lamp%20-blue",
    "search=%22blue+lamp%22",
    "search=ル",
    "search=ä",
    "search=lamp&ordering=-created_at",
    "min_price=10",
    "max_price=10",
    "min_price=10.01",
    "in_stock=true",
    "in_stock=false",
    "ordering=price",
    "ordering=-price",
    "page_size=21",
    "cursor=abc",
    "cursor=Abc",
]


def asked(path: str) -> Asked | None:
    return asked_by(RequestFactory().get(path))


def key(path: str) -> str:
    found = asked(path)
    assert found is not None, path
    return found.question.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("?category=3&min_price=1", "?min_price=1&category=3"),
        ("?min_price=10", "?min_price=10.00"),
        ("?min_price=10", "?min_price=1e1"),
        ("?min_price=10", "?min_price=010.0"),
        ("", "?ordering=-created_at"),
        ("", "?page_size=20"),
        ("", "?cursor="),
        ("", "?"),
        ("?in_stock=true", "?in_stock=1"),
        ("?in_stock=true", "?in_stock=True"),
        ("?category=3", "?category=03"),
        ("?search=Blue+Lamp", "?search=blue%20%20lamp"),
        ("?search=lamp", "?search=%20lamp%09"),
        ("?search=Caf%C3%A9", "?search=cafe"),
        ("?search=lamp", "?search=lamp&ordering=-relevance"),
        ("", "?utm_source=x"),
        ("", "?format=xml"),
        ("?category=3", "?category=3&_=1764000000"),
        ("?category=3", "?category=4&category=3"),
    ],
)
def test_what_makes_no_difference_makes_no_key(one: str, other: str) -> None:
    assert key(LIST + one) == key(LIST + other)
    assert asked(LIST + one) == asked(LIST + other)


def test_what_makes_a_difference_makes_a_key() -> None:
    assert len({key(f"{LIST}?{query}") for query in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST}?min_price=x",
        f"{LIST}?ordering=id",
        f"{LIST}?page_size=0",
        f"{LIST}?page_size=101",
        f"{LIST}?search=a%00b",
        "/api/categories/?parent=x",
        f"{LIST}{2**63}/",
        f"{LIST}{'9' * 30}/",
        f"{LIST}٣/",
        f"{LIST}1/reviews/",
        f"{LIST}1",
        "/api/cart/",
        "/api/products",
    ],
)
def test_what_a_view_refuses_or_answers_itself_is_no_question(path: str) -> None:
    assert asked(path) is None


def test_a_product_is_one_question_however_it_is_asked_for() -> None:
    assert key(f"{LIST}7/") == key(f"{LIST}007/?x=1") != key("/api/categories/7/")


def test_a_very_long_question_has_a_short_key() -> None:
    assert len(key(f"{LIST}?cursor={'x' * 5000}")) < 150
    assert key(f"{LIST}?cursor={'x' * 5000}") != key(f"{LIST}?cursor={'x' * 5001}")


def test_the_links_of_a_list_are_made_of_what_matters_alone(settings: Any) -> None:
    settings.PUBLIC_URL = "https://shop.example/"
    found = asked(f"{LIST}?x=1&min_price=2&ordering=price&page_size=20&cursor=c")
    assert found is not None
    assert found.url == "https://shop.example/api/products/?min_price=2.00&ordering=price"
