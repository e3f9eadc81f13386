"""The form of every refusal, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog import selectors
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/products", "/api/cart/items/x/"])
def test_a_path_that_no_route_has_is_a_problem(client: APIClient, path: str) -> None:
    body = assert_problem(client.get(path), 404, "not_found")
    assert body["title"] == "Not Found"
    assert body["type"] == "about:blank"


def test_without_a_token_the_answer_says_which_one_is_wanted(client: APIClient) -> None:
    response = client.get("/api/cart/")
    assert_problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_what_a_customer_may_not_do_is_a_problem(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    assert_problem(as_user(ana).post("/api/products/", {}), 403, "permission_denied")


def test_a_method_that_a_path_does_not_take_is_a_problem(
    sam: User, as_user: Callable[[User], APIClient]
) -> None:
    response = as_user(sam).put("/api/cart/", {})
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_a_form_that_we_do_not_speak_is_a_problem(client: APIClient, accept: str) -> None:
    response = client.get("/api/products/", headers={"Accept": accept})
    assert_problem(response, 406, "not_acceptable")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "x/y"])
def test_a_body_of_another_media_type_is_a_problem(client: APIClient, media_type: str) -> None:
    response = client.post("/api/auth/login/", "a=b", content_type=media_type)
    assert_problem(response, 415, "unsupported_media_type")


def test_a_body_that_is_no_json_is_a_problem_with_a_reason(client: APIClient) -> None:
    response = client.post("/api/auth/login/", '{"a": NaN}', content_type="application/json")
    assert "NaN is no JSON number" in assert_problem(response, 400, "parse_error")["detail"]


@pytest.mark.parametrize("body", ["", "{}"])
def test_an_empty_body_lacks_its_fields(client: APIClient, body: str) -> None:
    response = client.post("/api/auth/register/", body, content_type="application/json")
    assert invalid_fields(response) == {"username", "email", "password"}


def test_a_body_above_the_limit_is_a_problem(client: APIClient, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 100
    response = client.post("/api/auth/login/", {"username": "x" * 100})
    assert_problem(response, 413, "body_too_large")
    assert response.headers["X-Request-ID"]


def test_a_host_that_is_not_ours_is_a_problem(client: APIClient) -> None:
    assert_problem(client.get("/api/products/", HTTP_HOST="evil.example"), 400, "bad_request")


def _bug(*args: object, **kwargs: object) -> None:
    raise RuntimeError("password=hunter2")


def test_a_bug_of_ours_is_a_problem_without_its_secrets(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "products", _bug)
    client.raise_request_exception = False
    response = client.get("/api/products/", headers={"X-Request-ID": "mine"})
    body = assert_problem(response, 500, "internal_error")
    assert body["request_id"] == response.headers["X-Request-ID"] == "mine"
    assert b"hunter2" not in response.content


@pytest.mark.parametrize("path", ["/api/products/", "/nowhere", "/api/cart/", "/health/live"])
def test_every_answer_carries_the_requests_id(client: APIClient, path: str) -> None:
    response = client.get(path, headers={"X-Request-ID": "mine-1"})
    assert response.headers["X-Request-ID"] == "mine-1"
    if response.status_code >= 400:
        assert response.json()["request_id"] == "mine-1"
