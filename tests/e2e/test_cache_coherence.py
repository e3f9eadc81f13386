"""What is written is seen by every app server, and made once for all who ask; each is asked."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from shop.config.environment import load
from tests.e2e import stack
from tests.e2e.conftest import at_once, manage

CLIENTS = 200
# What is documented (docs/caching.md): HAProxy's own copy, and the way there.
SEEN_THROUGH_HAPROXY_WITHIN = 2.0  # seconds, of which one is HAProxy's

# One product export of Shopify's with the columns that matter.
EXPORT = """Handle,Title,Body (HTML),Product Category,Type,Published,Option1 Name,Option1 Value,\
Variant SKU,Variant Inventory Qty,Variant Price,Status
{handle},{title},,,{category},true,Title,Default Title,,{quantity},{price},active
"""


@pytest.fixture(scope="module")
def servers(url: str) -> Iterator[list[httpx.Client]]:
    """A client of each app server, past HAProxy."""
    clients = [httpx.Client(base_url=address, timeout=30) for address in stack.app_servers()]
    assert len(clients) >= 2
    yield clients
    for client in clients:
        client.close()


@pytest.fixture
def product(new_product: Callable[[int], int], servers: list[httpx.Client]) -> int:
    """A product that every process of every app server has been asked for."""
    made = new_product(0)
    for _ in range(10):
        assert prices(servers, made) == {"10.00"}
    return made


def prices(servers: list[httpx.Client], product: int) -> set[str]:
    """Return the prices that any app server shows, of the product itself and in its list."""
    found = set()
    for server in servers:
        one = server.get(f"/api/products/{product}/").json()
        listed = server.get("/api/products/", params={"category": one["category_id"]}).json()
        found |= {one["price"], *(row["price"] for row in listed["results"])}
    return found


def often(servers: list[httpx.Client], product: int) -> set[str]:
    """Ask each of them so often that each of its processes is asked."""
    return set().union(*(prices(servers, product) for _ in range(10)))


def test_a_price_changed_over_the_api_is_seen_by_every_app_server_at_once(
    servers: list[httpx.Client], sam: httpx.Client, product: int
) -> None:
    for price in ("11.00", "12.00", "13.00"):
        changed = sam.patch(f"/api/products/{product}/", json={"price": price})
        assert changed.status_code == 200
        assert often(servers, product) == {price}


FULL = "Product.objects.filter(id={id}).values('id', 'name', 'slug', 'category_id', 'created_at')"
WAYS = {
    "update": "Product.objects.filter(id={id}).update(price=14)",
    "bulk_update": "Product.objects.bulk_update([Product(id={id}, price=14)], ['price'])",
    "save": f"Product(**({FULL}.get() | dict(price=14))).save()",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_price_changed_by_another_process_is_seen_by_every_app_server_at_once(
    servers: list[httpx.Client], product: int, way: str
) -> None:
    code = f"from shop.catalog.models import Product; {WAYS[way].format(id=product)}"
    manage("shell", "--no-imports", "--command", code)
    assert often(servers, product) == {"14.00"}


def test_a_price_that_is_imported_is_seen_by_every_app_server_at_once(
    servers: list[httpx.Client], tmp_path: Path
) -> None:
    tag = secrets.token_hex(6)
    row = {"handle": f"import-{tag}", "title": f"Import {tag}", "category": f"Imported {tag}"}
    file = tmp_path / "export.csv"
    for price in ("15.00", "16.00"):
        file.write_text(EXPORT.format(**row, price=price, quantity=3))
        manage("import_catalog", str(file))
        found = servers[0].get("/api/products/", params={"search": tag}).json()["results"]
        assert [one["name"] for one in found] == [row["title"]]
        assert often(servers, found[0]["id"]) == {price}


def test_a_price_changed_on_the_staff_pages_is_seen_by_every_app_server_at_once(
    servers: list[httpx.Client], url: str, product: int
) -> None:
    name = f"cat-{secrets.token_hex(6)}"
    role = "--role=catalog_manager"
    manage("create_staff", f"--username={name}", f"--email={name}@example.com", role)
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as browser:
        form = {"username": name, "password": "correct horse battery staple"}
        assert browser.post("/admin/login/", data=_with_token(browser, "/admin/login/") | form)
        page = f"/admin/catalog/product/{product}/change/"
        shown = httpx.get(f"{url}/api/products/{product}/").json()
        kept = ("name", "slug", "status")
        fields = {name: shown[name] for name in kept} | {"category": shown["category_id"]}
        token = _with_token(browser, page)
        saved = browser.post(page, data={**token, **fields, "price": "17.00"})
        assert saved.status_code == 200, saved.text
    assert often(servers, product) == {"17.00"}


def _with_token(browser: httpx.Client, page: str) -> dict[str, str]:
    text = browser.get(page, headers={"Referer": str(browser.base_url)}).text
    token = text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    browser.headers["Referer"] = f"{browser.base_url}{page}"
    return {"csrfmiddlewaretoken": token}


def test_a_price_is_seen_through_haproxy_within_the_documented_time(
    http: httpx.Client, sam: httpx.Client, product: int
) -> None:
    path = f"/api/products/{product}/"
    http.get(path)
    assert sam.patch(path, json={"price": "18.00"}).status_code == 200
    end = time.monotonic() + SEEN_THROUGH_HAPROXY_WITHIN
    while http.get(path).json()["price"] != "18.00":
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def lists_asked(url: str) -> Iterator[Callable[[], int]]:
    """How often the database was asked for a list of a category's products."""
    database = load().database("DATABASE_URL")["NAME"]
    connection = psycopg2.connect(load().required("DATABASE_ADMIN_URL"), dbname=database)
    connection.autocommit = True

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements AS s "
                "JOIN pg_database AS d ON d.oid = s.dbid WHERE d.datname = %s "
                "AND query LIKE %s AND query LIKE %s AND query NOT LIKE %s",
                [database, "%FROM%catalog_product%", "%ancestor_ids%@>%", "%pg_stat_statements%"],
            )
            return int(cursor.fetchone()[0])  # type: ignore[index]  # an aggregate has a row

    yield count
    connection.close()


def test_two_hundred_clients_of_a_cold_key_cost_the_database_one_statement(
    servers: list[httpx.Client], new_product: Callable[[int], int], lists_asked: Callable[[], int]
) -> None:
    product = new_product(0)
    category = servers[0].get(f"/api/products/{product}/").json()["category_id"]
    before = lists_asked()
    ready = threading.Barrier(CLIENTS)

    def ask(number: int) -> Any:
        server = servers[number % len(servers)]
        ready.wait(60)
        return server.get("/api/products/", params={"category": category, "ordering": "price"})

    answers = at_once(ask, CLIENTS)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["results"][0]["id"] for answer in answers} == {product}
    assert lists_asked() - before == 1
