"""What a search finds, and in which order."""

import re
import unicodedata

import pytest
from django.db import connection
from django.db.models import Value
from rest_framework.test import APIClient

from shop.catalog import search
from shop.catalog.models import Category, Product
from shop.catalog.search import Folded, Squeezed, fold, squeeze
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db


def found(client: APIClient, text: str, **more: str) -> list[str]:
    """Return the names of the products that a search finds, best first."""
    answer = client.get("/api/products/", {"search": text, **more})
    assert answer.status_code == 200, answer.json()
    return [product["name"] for product in answer.json()["results"]]


def sell(category: Category, name: str, description: str) -> None:
    Product.objects.create(
        name=name, slug=name.lower(), description=description, price=1, category=category
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("The Who", "The Who"),
        ("IT by Stephen King", "IT"),
        ("Not", "not"),
        ("The The", "the"),
        ("This or That", "This or That"),
        ("Café crème", "cafe"),
        ("Cafe creme", "Café Crème"),
        ("Crème brûlée torch", "creme brulee"),
        (unicodedata.normalize("NFD", "Café mug"), "Café"),
        (unicodedata.normalize("NFC", "Café mug"), unicodedata.normalize("NFD", "Café")),
        ("リネンシャツ 白", "シャツ"),
        ("リネンシャツ 白", "白"),
        ("เสื้อยืดสีขาว", "สีขาว"),
        ("ﾊﾝｶﾞｰ", "ハンガー"),
        ("Headphones", "Headph"),
        ("Noise-cancelling Headphones", "head noise"),
        ("Headphones", "phones"),
        ("Wi-Fi router", "wifi"),
        ("WiFi router", "wi-fi"),
        ("Wi-Fi router", "wi fi"),
        ("L'Oréal shampoo", "loreal"),
        ("L’Oréal shampoo", "L'Oreal"),
        ("Straße nach Süden", "strasse"),
        ("Smørrebrød", "smorrebrod"),
        ("Łódź", "lodz"),
        ("ΟΔΟΣ", "οδός"),
        ("AB-1234/XL", "1234/xl"),
        ("C++ in a nutshell", "C++"),
        ('Ruler 12"', '12"'),
        ("100% cotton", "100%"),
        ("snake_case", "snake_c"),
        ("Red shoes", "shoe"),
        ("Red shoe", "shoes"),
    ],
)
def test_a_product_is_found_by_its_name_however_it_is_typed(
    client: APIClient, make_product: MakeProduct, name: str, text: str
) -> None:
    make_product(name=name)
    make_product(name="Something else")
    assert found(client, text) == [name]


def test_an_exact_name_comes_before_a_beginning_before_a_part_before_a_description(
    client: APIClient, category: Category
) -> None:
    texts = {"It": "", "It by Stephen King": "", "Why it rains": "", "Rain": "On items and it."}
    for name, description in texts.items():
        sell(category, name, description)
    assert found(client, "IT") == ["It", "It by Stephen King", "Why it rains"]
    assert found(client, "rain") == ["Rain", "Why it rains"]
    assert found(client, "items") == ["Rain"]


def test_what_is_excluded_is_not_found_by_its_parts(
    client: APIClient, make_product: MakeProduct
) -> None:
    make_product(name="Red lamp")
    make_product(name="Blue lamp")
    assert found(client, "lamp -red") == ["Blue lamp"]


def test_the_wildcards_of_like_are_ordinary_characters(
    client: APIClient, make_product: MakeProduct
) -> None:
    make_product(name="Lamp")
    assert found(client, "l_mp") == []
    assert found(client, "l%p") == []
    assert found(client, "la\\mp") == []


def test_pages_of_a_search_follow_each_other_best_first(
    client: APIClient, category: Category
) -> None:
    names = ["Lamp", "Lamp of brass", "Lamp of wood", "Floor lamp", "Desk lamp", "Shade"]
    for name in reversed(names):
        sell(category, name, "For a lamp.")
    url, read = "/api/products/?search=LAMP&page_size=2", []
    while url:
        page = client.get(url).json()
        read.append([product["name"] for product in page["results"]])
        url = page["next"]
    assert read == [names[:2], names[2:4], names[4:]]
    back = client.get(page["previous"]).json()
    assert [product["name"] for product in back["results"]] == names[2:4]


def test_a_search_can_be_ordered_otherwise(client: APIClient, make_product: MakeProduct) -> None:
    make_product(name="Lamp", price="9.00")
    make_product(name="Lamp of brass", price="5.00")
    assert found(client, "lamp", ordering="price") == ["Lamp of brass", "Lamp"]
    assert found(client, "lamp", ordering="-relevance") == ["Lamp", "Lamp of brass"]


def test_without_a_search_nothing_is_relevant(client: APIClient) -> None:
    answer = client.get("/api/products/?ordering=-relevance")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["ordering"]


def test_the_database_folds_every_character_as_we_do(category: Category) -> None:
    """Of the letters that people write names in: those that both Unicode tables have."""
    texts = [
        f"a{chr(code)}b"
        for code in [*range(0x20, 0x590), *range(0xE00, 0xE80), *range(0x1E00, 0x2060)]
        if unicodedata.category(chr(code)) not in ("Cn", "Cc", "Cs")
    ]
    with connection.cursor() as cursor:
        compiler = Product.objects.all().query.get_compiler(using="default")
        folded, _ = compiler.compile(Folded(Value("x")))
        squeezed, _ = compiler.compile(Squeezed(Value("x")))
        cursor.execute(
            f"SELECT x, {folded.replace('%s', 'x')}, {squeezed.replace('%s', 'x')}"
            " FROM unnest(%s::text[]) AS x",
            [texts],
        )
        rows = cursor.fetchall()
    assert [text for text, *_ in rows] == texts
    assert [text for text, plain, _ in rows if plain != fold(text)] == []
    assert [text for text, _, bare in rows if bare != squeeze(text)] == []


@pytest.mark.parametrize("text", ["headph", "it", "Desk lamp 7"])
def test_a_search_can_be_answered_by_the_indexes_alone(category: Category, text: str) -> None:
    with connection.cursor() as cursor:
        # So few rows would be read as a whole, or in the order of their ids.
        cursor.execute("SET LOCAL citus.propagate_set_commands TO 'local'")
        cursor.execute("SET LOCAL enable_seqscan TO off")
        cursor.execute("SET LOCAL enable_indexscan TO off")
    plan = Product.objects.filter(search.matching(text)).values("id").explain()
    assert re.search(r"Bitmap Index Scan on product_search(_[0-9]+)?\b", plan)
    assert "Bitmap Index Scan on product_search_name" in plan
    assert "Seq Scan" not in plan
