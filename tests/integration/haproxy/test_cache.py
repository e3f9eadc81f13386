"""HAProxy's own cache: the anonymous catalog, for a second, and nothing of anybody."""

import time
from collections.abc import Mapping, Sequence

import httpx
import pytest

from tests.edge import App, Edge, wait_until
from tests.integration.haproxy.conftest import asked

Headers = Sequence[Mapping[str, str]]

PUBLIC = {
    "Cache-Control": "public, max-age=0, s-maxage=60, stale-while-revalidate=30",
    "Vary": "Authorization, Origin",
    "ETag": '"one"',
    "Content-Security-Policy": "default-src 'none'",
    "RateLimit": '"anonymous";r=9;t=9',
}


@pytest.fixture
def shop(edge: Edge, apps: list[App]) -> Edge:
    """HAProxy before app servers that allow caches to keep everything."""
    for app in apps:
        app.headers |= PUBLIC
    return edge


def ask(edge: Edge, apps: list[App], *paths: str, headers: Headers = ({},)) -> list[httpx.Response]:
    """Send requests one after the other within one second of the cache's clock.

    It counts whole seconds: what is stored at the beginning of one stays for nearly all of it. On
    a machine too busy for that, it tries again.
    """
    requests = list(zip(paths, headers, strict=True)) if len(headers) > 1 else []
    requests = requests or [(path, headers[0]) for path in paths]
    with httpx.Client(base_url=edge.url) as client:
        client.get("/api/cart/")
        for _ in range(20):
            time.sleep(1 - time.time() % 1)
            for app in apps:
                app.asked.clear()
            second = int(time.time())
            answers = [client.get(path, headers=fields) for path, fields in requests]
            if int(time.time()) == second:
                return answers
    pytest.fail(f"this machine does not send {len(requests)} requests within a second")


@pytest.mark.parametrize("path", ["products/", "products/7/", "categories/", "categories/7/"])
def test_the_catalog_is_asked_for_once_a_second(shop: Edge, apps: list[App], path: str) -> None:
    url = f"/api/{path}?a=1"
    answers = ask(shop, apps, *[url] * 4)
    assert {answer.text for answer in answers} == {answers[0].text}
    assert len(asked(apps)) == 1
    assert "Age" not in answers[0].headers
    assert answers[1].headers["Age"] == "0"
    assert answers[1].headers["ETag"] == 'W/"one"'  # it came compressed
    time.sleep(2)  # longer than HAProxy keeps it, shorter than the app allows
    assert httpx.get(f"{shop.url}{url}").text != answers[0].text


def test_who_has_the_answer_already_is_told_so_without_asking_the_app(
    shop: Edge, apps: list[App]
) -> None:
    paths, known = ["/api/products/"] * 2, {"If-None-Match": '"one"'}
    _, again = ask(shop, apps, *paths, headers=[{}, known])
    assert (again.status_code, again.content) == (304, b"")
    assert len(asked(apps)) == 1


@pytest.mark.parametrize(
    "headers", [{"If-None-Match": "one"}, {"If-Match": '"one"'}, {"If-Unmodified-Since": "today"}]
)
def test_a_condition_that_the_app_refuses_goes_past_the_cache(
    shop: Edge, apps: list[App], headers: dict[str, str]
) -> None:
    ask(shop, apps, *["/api/products/"] * 2, headers=[{}, headers])
    assert len(asked(apps)) == 2


def test_caches_further_out_are_told_what_an_answer_varies_by(shop: Edge, apps: list[App]) -> None:
    answers = ask(shop, apps, *["/api/products/"] * 2)
    for answer in answers:
        assert answer.headers["Vary"] == "Authorization, Origin, Accept-Encoding"
        assert answer.headers["Cache-Control"] == PUBLIC["Cache-Control"]
        assert "RateLimit" not in answer.headers
        assert "X-Vary" not in answer.headers
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer x"}, {"Authorization": ""}, {"Origin": "https://x.test"}]
)
def test_whoever_says_who_they_are_goes_past_the_cache_both_ways(
    shop: Edge, apps: list[App], headers: dict[str, str]
) -> None:
    turns = [headers, {}, headers]
    answers = ask(shop, apps, *["/api/products/"] * 3, headers=turns)
    assert len({answer.text for answer in answers}) == 3
    assert len(asked(apps)) == 3


@pytest.mark.parametrize(
    "path",
    [
        "/api/cart/",
        "/api/users/me/",
        "/api/products/7/stock/",
        "/api/products/7/reviews/",
        "/api/products/../cart/",
        "/api/products//",
        "/admin/",
    ],
)
def test_no_other_path_is_kept_whatever_its_answer_says(
    shop: Edge, apps: list[App], path: str
) -> None:
    with httpx.Client(base_url=shop.url) as client:
        for _ in range(2):
            client.send(client.build_request("GET", "/", extensions={"target": path.encode()}))
    assert asked(apps) == [path, path]


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "no-store, private"},
        {"Cache-Control": "private, max-age=60"},
        {"Cache-Control": "no-cache"},
        {"Cache-Control": "public, s-maxage=5, no-cache"},
        {"Cache-Control": "public, max-age=5"},
        {"Cache-Control": "public, s-maxage=0"},
        {"Cache-Control": ""},
        PUBLIC | {"Set-Cookie": "a=b"},
    ],
)
def test_what_the_app_does_not_allow_is_not_kept(
    edge: Edge, apps: list[App], headers: dict[str, str]
) -> None:
    for app in apps:
        app.headers |= headers
    ask(edge, apps, *["/api/products/"] * 2)
    assert len(asked(apps)) == 2


def test_a_reload_in_the_browser_does_not_reach_the_app(shop: Edge, apps: list[App]) -> None:
    turns = [{}, {"Cache-Control": "no-cache"}, {"Pragma": "no-cache"}]
    ask(shop, apps, *["/api/products/"] * 3, headers=turns)
    assert len(asked(apps)) == 1


def test_the_log_says_what_the_cache_did(shop: Edge, apps: list[App]) -> None:
    ask(shop, apps, *["/api/products/?secret=1"] * 2, "/api/cart/")
    expected = [("/api/products/", "miss"), ("/api/products/", "hit"), ("/api/cart/", "none")]

    def logged() -> bool:
        return [(line["path"], line["cache"]) for line in shop.lines()[-3:]] == expected

    wait_until(logged, shop.log)
