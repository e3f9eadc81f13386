"""Answers from Redis: the same bytes, for as long as they are right, and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework.test import APIClient

from shop.accounts import tokens
from shop.accounts.models import User
from shop.catalog import services
from shop.catalog.api.caching import MOST, CatalogCache
from shop.catalog.api.questions import asked_by
from shop.catalog.models import Category, Product
from shop.core import redis
from shop.core.caching import answers
from tests.conftest import MakeProduct
from tests.integration.catalog.api.conftest import Committed
from tests.integration.core.assertions import assert_problem, invalid_fields, statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cached")]

LIST = "/api/products/"


@pytest.fixture
def product(make_product: MakeProduct) -> Product:
    return make_product("Lamp", price="10.00")


def outcomes(view: str) -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for metric in answers.REQUESTS.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["view"] == view
    }


def paths(product: Product) -> list[str]:
    return [
        LIST,
        f"{LIST}?search=lamp&min_price=1&page_size=5",
        f"{LIST}?category={product.category_id}",
        f"{LIST}{product.id}/",
        "/api/categories/",
        "/api/categories/?parent=root",
        f"/api/categories/{product.category_id}/",
    ]


def test_what_was_answered_once_costs_no_statement(client: APIClient, product: Product) -> None:
    for path in paths(product):
        for _ in range(2 if "search" in path else 1):  # an odd question has to be asked again
            with statements(1):
                first = client.get(path)
        for _ in range(2):  # through the view, and before it
            with statements(0):
                again = client.get(path)
            assert again.content == first.content


def test_an_answer_from_redis_has_the_headers_of_one_from_the_view(
    client: APIClient, product: Product
) -> None:
    for path in paths(product):
        first, _, from_redis = (client.get(path) for _ in range(3))
        changing = {"X-Request-ID", "RateLimit", "RateLimit-Policy"}
        expected = {name: value for name, value in first.items() if name not in changing}
        found = {name: value for name, value in from_redis.items() if name not in changing}
        assert found == expected
        assert "RateLimit" not in from_redis.headers  # it was not counted
        assert first["X-Request-ID"] != from_redis["X-Request-ID"]


def test_the_bytes_are_those_of_the_database(
    client: APIClient, settings: Any, product: Product
) -> None:
    for path in paths(product):
        answers_ = [client.get(path) for _ in range(3)]
        settings.CATALOG_CACHE = False
        direct = client.get(path)
        settings.CATALOG_CACHE = True
        assert {one.content for one in answers_} == {direct.content}
        assert {one["ETag"] for one in answers_} == {direct["ETag"]}


def test_spellings_of_one_question_share_an_answer(client: APIClient, product: Product) -> None:
    for path in (f"{LIST}?min_price=1&search=LAMP", f"{LIST}?search=Lamp&min_price=1"):
        first = client.get(path)
    with statements(0):
        for query in (
            "search=lamp&min_price=1.00",
            "search=%20lamp&min_price=1&utm=x&page_size=20",
        ):
            assert client.get(f"{LIST}?{query}").content == first.content


def test_a_cursor_is_good_whatever_nobody_knows_stands_beside_it(
    client: APIClient, make_product: MakeProduct
) -> None:
    for name in "abc":
        make_product(name)
    following = client.get(f"{LIST}?page_size=2&utm_source=mail").json()["next"]
    assert "utm_source" not in following
    assert len(client.get(f"{following}&utm_source=other").json()["results"]) == 1


def test_links_lead_to_the_public_address_whatever_the_host_was(
    client: APIClient, make_product: MakeProduct, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://shop.example"
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    for name in "ab":
        make_product(name)
    for host in ("testserver", "other.example", "testserver"):
        link = client.get(f"{LIST}?page_size=1", headers={"Host": host}).json()["next"]
        assert link.startswith("https://shop.example/api/products/?")


def test_a_host_is_learnt_once_whatever_port_and_capitals_it_is_given_with(
    settings: Any,
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(request.get_host())
        response.of_the_catalog = True  # type: ignore[attr-defined]
        return response

    kept = CatalogCache(view)
    spelt = [f"127.0.0.1:{number + 1}" for number in range(MOST + 10)]
    for host in (*spelt, "testserver", "TestServer", "testserver.", "TESTSERVER:8000"):
        kept(RequestFactory().get(f"{LIST}?in_stock=true", headers={"Host": host}))
    assert {host for _, host, _ in kept.learnt} == {"127.0.0.1", "testserver"}


@pytest.mark.parametrize(
    "odd", ["search=novel", "min_price=1", "max_price=99", "page_size=7", "search=x&category=1"]
)
def test_an_odd_question_is_kept_from_its_second_asking_on(
    client: APIClient, product: Product, odd: str
) -> None:
    """What strangers make up leaves next to nothing behind; what is asked again is kept."""
    question = asked_by(RequestFactory().get(f"{LIST}?{odd}")).question  # type: ignore[union-attr]
    body = client.get(f"{LIST}?{odd}").content
    assert redis.client().exists(question.key) == 0
    assert redis.client().memory_usage(question.asked) < 300
    assert client.get(f"{LIST}?{odd}").content == body
    assert redis.client().exists(question.key) == 1
    with statements(0):
        assert client.get(f"{LIST}?{odd}").content == body


@pytest.mark.parametrize("plain", ["", "in_stock=true", "category=1", "ordering=price"])
def test_a_plain_question_is_kept_at_once(client: APIClient, product: Product, plain: str) -> None:
    client.get(f"{LIST}?{plain}")
    with statements(0):
        client.get(f"{LIST}?{plain}")


def test_a_page_that_a_cursor_leads_to_is_odd(
    client: APIClient, make_product: MakeProduct, product: Product
) -> None:
    make_product("another")
    following = client.get(f"{LIST}?page_size=1").json()["next"]
    request = RequestFactory().get(LIST, QUERY_STRING=following.partition("?")[2])
    assert asked_by(request).question.asked  # type: ignore[union-attr]


def test_a_host_that_is_not_ours_is_refused_from_redis_too(
    stranger: APIClient, product: Product
) -> None:
    assert stranger.get(LIST).status_code == 200
    for _ in range(2):
        assert stranger.get(LIST, headers={"Host": "evil.example"}).status_code == 400


def test_who_has_it_already_is_told_so(stranger: APIClient, product: Product) -> None:
    etag = stranger.get(LIST)["ETag"]
    for given in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        response = stranger.get(LIST, headers={"If-None-Match": given})
        assert (response.status_code, response.content) == (304, b"")
        assert response["ETag"] == etag
        assert "Content-Type" not in response.headers
        assert response["Cache-Control"].startswith("public")
    assert stranger.get(LIST, headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_head_has_the_length_and_no_body(stranger: APIClient, product: Product) -> None:
    whole = stranger.get(LIST)
    head = stranger.head(LIST)
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(whole.content))
    assert head["ETag"] == whole["ETag"]


def test_an_invalid_parameter_is_refused_each_time(stranger: APIClient) -> None:
    for _ in range(3):
        assert invalid_fields(stranger.get(f"{LIST}?min_price=x")) == {"min_price"}
        assert invalid_fields(stranger.get(f"{LIST}?cursor=x")) == {"cursor"}


def test_who_takes_no_json_is_told_so(stranger: APIClient) -> None:
    assert stranger.get(LIST, headers={"Accept": "text/html"}).status_code == 406
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert stranger.get(LIST, headers={"Accept": browser}).status_code == 200


def test_a_product_that_is_not_there_is_asked_for_once(
    stranger: APIClient, category: Category, committed: Committed[Product]
) -> None:
    missing = Product.objects.create(name="x", slug="x", price=1, category=category).id + 1
    path = f"{LIST}{missing}/"
    with statements(1):
        bodies = [assert_problem(stranger.get(path), 404, "not_found") for _ in range(3)]
    assert len({body["request_id"] for body in bodies}) == 3
    assert {body["detail"] for body in bodies} == {"There is no such product."}
    committed(lambda: services.create_product(name="New", price=1, category=category))
    assert stranger.get(path).json()["name"] == "New"


def test_another_sites_page_gets_its_headers(
    client: APIClient, product: Product, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    for _ in range(3):
        assert "Access-Control-Allow-Origin" not in client.get(LIST).headers
    response = client.get(LIST, headers={"Origin": "https://app.example.com"})
    assert response["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Origin" not in client.get(LIST).headers
    assert client.get(LIST)["Vary"] == "Authorization, origin"


def test_nothing_is_kept_of_an_answer_that_a_token_opened(
    ana: User, as_user: Callable[[User], APIClient], stranger: APIClient, product: Product
) -> None:
    customer = as_user(ana)
    for path in paths(product):
        for _ in range(2):  # an odd question has to be asked again
            public = stranger.get(path)
        for _ in range(2):
            with statements(0):
                own = customer.get(path)
            assert own.content == public.content
            assert own["Cache-Control"] == "no-store, private"
            assert own["ETag"] == public["ETag"]
        again = stranger.get(path)
        assert "public" in again["Cache-Control"]
        assert again["Vary"] == "Authorization, origin"


def test_one_app_server_never_mixes_strangers_customers_and_staff(
    ana: User, sam: User, stranger: APIClient, product: Product
) -> None:
    path = f"{LIST}{product.id}/"
    stranger.get(path)
    Product.objects.filter(id=product.id).update(price="7.00")  # seen by whoever asks the database
    expected = {None: ("10.00", "public"), ana: ("10.00", "no-store"), sam: ("7.00", "no-store")}
    for user in (None, ana, None, sam, None, sam, ana, None):
        token = f"Bearer {tokens.issue(user).access}" if user else None
        stranger.credentials(**({"HTTP_AUTHORIZATION": token} if token else {}))
        response = stranger.get(path)
        price, kept = expected[user]
        assert response.json()["price"] == price
        assert response["Cache-Control"].startswith(kept)


def test_a_customer_may_be_the_first_to_ask(
    ana: User, as_user: Callable[[User], APIClient], client: APIClient, product: Product
) -> None:
    customer = as_user(ana)
    for path in paths(product):
        for _ in range(2):  # an odd question has to be asked again
            own = customer.get(path)
        with statements(0):
            public = client.get(path)
        assert public.content == own.content
        assert "no-store" not in public["Cache-Control"]


def test_a_forged_token_reads_what_strangers_read(stranger: APIClient, product: Product) -> None:
    public = stranger.get(LIST)
    stranger.credentials(HTTP_AUTHORIZATION="Bearer a.b.c")
    assert stranger.get(LIST).content == public.content


def test_staff_read_the_database(
    sam: User, as_user: Callable[[User], APIClient], stranger: APIClient, product: Product
) -> None:
    staff, path = as_user(sam), f"{LIST}{product.id}/"
    stranger.get(path)
    # Not committed, as far as the cache knows: strangers still see the old price.
    Product.objects.filter(id=product.id).update(price="7.00")
    with statements(1):
        assert staff.get(path).json()["price"] == "7.00"
    assert staff.get(LIST).json()["results"][0]["price"] == "7.00"
    assert staff.get(path)["Cache-Control"] == "no-store, private"
    assert stranger.get(path).json()["price"] == "10.00"


def test_the_etag_that_a_stranger_saw_is_good_for_an_update(
    sam: User, as_user: Callable[[User], APIClient], stranger: APIClient, product: Product
) -> None:
    path = f"{LIST}{product.id}/"
    stranger.get(path)
    seen = stranger.get(path)["ETag"]
    assert as_user(sam).get(path)["ETag"] == seen
    headers = {"If-Match": seen}
    assert as_user(sam).patch(path, {"price": "9.00"}, headers=headers).status_code == 200
    assert as_user(sam).patch(path, {"price": "8.00"}, headers=headers).status_code == 412


def test_indentation_changes_neither_the_bytes_nor_the_etag(
    sam: User, as_user: Callable[[User], APIClient], product: Product
) -> None:
    path, staff = f"{LIST}{product.id}/", as_user(sam)
    plain = staff.get(path)
    indented = staff.get(path, headers={"Accept": "application/json; indent=4"})
    assert (indented.content, indented["ETag"]) == (plain.content, plain["ETag"])


def test_what_became_of_each_question_is_counted(client: APIClient, product: Product) -> None:
    before = outcomes("product_detail")
    for _ in range(4):
        client.get(f"{LIST}{product.id}/")
    client.get(f"{LIST}{product.id + 1000}/")
    client.get(f"{LIST}{product.id + 1000}/")
    after = outcomes("product_detail")
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert {name: n for name, n in grown.items() if n} == {"miss": 2, "hit": 3, "negative": 1}
